"""What characters look like to a buyer: letters in another guise, invisible ones, separators."""

from agents.monitoring.confusables.table import (
    ConfusablesError,
    InvisibleKind,
    Kind,
    LetterSequence,
    SequenceKind,
    Table,
    load_table,
    read_table,
)

__all__ = [
    "ConfusablesError",
    "InvisibleKind",
    "Kind",
    "LetterSequence",
    "SequenceKind",
    "Table",
    "load_table",
    "read_table",
]
