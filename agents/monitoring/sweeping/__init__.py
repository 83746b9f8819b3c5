"""Judges the live catalogue again: for rights that came, and for rules that began to act."""
