"""Other stream processors on the same listings: `python -m tests.benchmarks peers`.

Each peer is a program of its own that reads a `work.Job` from the file it is given and prints a
`work.Outcome` as its last line. The modules of the peers import nothing of the assayer: some run in
an environment that has none of its packages.
"""
