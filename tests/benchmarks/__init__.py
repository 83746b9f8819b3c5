"""Measurements, side by side in one run: `python -m tests.benchmarks --help`.

A subject is a module with a function `run(options: Options) -> Section`; `subjects.py` lists them.
Nothing here decides whether a test passes: see `make bench` and RESULTS.md.
"""
