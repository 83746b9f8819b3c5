"""Generated evasions, generated honest listings and real rows through the shipped judgement.

The adversary and the honest public at once: built from what the contract promises and from how
sellers write, without a look at how folding, marks and vocabulary are implemented.

- `rights.py`, `marks.txt`: the rights of the generated cases; `brands.txt`: well-known brands.
- `speak.py`, `speech/`: how sellers write, by language.
- `hide*.py`, `lookalikes.py`: ways to hide a mark.
- `bases.py`: real rows or the shipped sample, into which marks and words are put.
- `evasions.py`, `honest.py`: the classes; `cases.py`: what a case is.
- `court.py`: the judgement as `assayer screen` and the worker's screen do it.
- `run.py`, `real.py`, `report.py`: counting and tables.
"""
