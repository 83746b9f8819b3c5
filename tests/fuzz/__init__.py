"""Every decoder and parser, given what nobody would send: `python -m tests.fuzz`."""
