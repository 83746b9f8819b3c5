"""Measurements: nothing here decides whether a test passes."""
