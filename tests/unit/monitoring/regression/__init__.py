"""Every miss and every false positive that was found, as data with its reason.

A line of a file is a case: `why` it is here, the `listing`, the `rights`, the `seller` (null:
nothing is known), the outcomes that are `expected`, and at times the titles of listings that stand
`beside` it in the worker's batch. Listings are invented; fields that do not matter are left out
and filled in by `cases.py`.

- `caught.jsonl`, `left-alone.jsonl`: hold, and have to go on holding;
- `known-misses.jsonl`: do not hold yet, and are not run. Which of them hold by now is said by
  `python -m tests.unit.monitoring.regression`; those lines belong into the other files.
"""
