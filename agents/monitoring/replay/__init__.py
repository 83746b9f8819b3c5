"""Recorded listings judged by two policies at once, to see what differs before it counts."""
