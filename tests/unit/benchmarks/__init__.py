"""Tests of the benchmarks' reports: that they say what was measured. Nothing is timed."""
