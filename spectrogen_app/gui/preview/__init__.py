"""A text table looked at before it is opened: delimiters, columns, units."""
