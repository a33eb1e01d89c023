"""Peak decomposition by mouse, table and keyboard."""
