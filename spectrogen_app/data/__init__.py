"""Value types, units and axes."""
