"""Says which pieces of a mark are words by themselves: two of them side by side may be honest."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, Final

from agents.monitoring.data_files import read_yaml

_FILE: Final = Path(__file__).with_name("ordinary_words.yaml")
_STOP_WORDS: Final = Path(__file__).parents[1] / "reference" / "stop_words.yaml"
_KINDS: Final = ("function", "market", "goods")


@cache
def are_ordinary(pieces: tuple[str, ...]) -> bool:
    """Return whether all pieces, without accents, are words of one language.

    Sizes, units, abbreviations and numbers are words of any language.
    """
    return any(
        all(piece.isdigit() or piece in words for piece in pieces) for words in ordinary_words()
    )


@cache
def ordinary_words() -> tuple[frozenset[str], ...]:
    """Return the ordinary words of each language, in lower case and without accents.

    Raises:
        DataFileError: a file can't be read or is no YAML.
    """
    ours: dict[str, Any] = read_yaml(_FILE)
    further: dict[str, str] = ours["languages"]
    stop_words: dict[str, dict[str, str]] = read_yaml(_STOP_WORDS)["languages"]
    return tuple(
        frozenset(
            _bare(
                " ".join(
                    [ours["anywhere"], further.get(language, ""), *(groups[k] for k in _KINDS)]
                )
            ).split()
        )
        for language, groups in stop_words.items()
    )


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower().replace("_", " "))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.replace("ı", "i").replace("ł", "l").replace("đ", "d")
