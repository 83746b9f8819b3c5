"""Benchmarks: what is measured, as ratios against peers and limits; never as a test."""
