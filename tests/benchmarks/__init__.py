"""Measurements, each a module to be run: nothing here decides whether a test passes."""
