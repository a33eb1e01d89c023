"""One row for every dropped file: what it was opened as, or why not."""
