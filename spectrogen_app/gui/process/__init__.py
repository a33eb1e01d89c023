"""The Process task: a pipeline of steps with a live preview."""
