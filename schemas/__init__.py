"""The contract with everybody else: Avro schemas and their loader, nothing else.

`schemas/avro/<name>.avsc` is the current version of each record. `schemas/released/<name>/<n>.avsc`
keeps every version that was ever released, so that compatibility is checked against all of them.
"""

from schemas.loader import NAMES, compatibility_errors, load, released, without_docs

__all__ = ["NAMES", "compatibility_errors", "load", "released", "without_docs"]
