"""What is decided about events, and the commands people run."""
