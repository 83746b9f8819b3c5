"""How sellers write, language by language: the phrases of `speech/*.txt`.

The phrases are this benchmark's own, written without a look at the vocabulary that is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "speech"
PROMISED: Final = ("en", "es", "pt", "id", "ms", "th", "zh")
"""Languages the contract names."""
FURTHER: Final = ("de", "fr", "it", "vi", "ar", "tr", "ru", "pl")
LANGUAGES: Final = PROMISED + FURTHER
CURRENCY: Final = {
    "en": "USD", "es": "EUR", "pt": "BRL", "id": "IDR", "ms": "MYR", "th": "THB", "zh": "CNY",
    "de": "EUR", "fr": "EUR", "it": "EUR", "vi": "VND", "ar": "AED", "tr": "TRY", "ru": "RUB",
    "pl": "PLN",
}  # fmt: skip
SECTIONS: Final = (
    "goods", "replica", "about", "openers", "nominative", "negated", "innocent", "used", "soft",
    "part", "plain",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Speech:
    """The phrases of one language; `{m}` is a mark, `{g}` goods, `{r}` replica vocabulary."""

    language: str
    goods: tuple[str, ...]
    replica: tuple[str, ...]
    about: tuple[str, ...]
    """Sentences of a description that name mark and copy together."""
    openers: tuple[str, ...]
    """First sentences of a description that call the goods a copy without naming the mark."""
    nominative: tuple[str, ...]
    negated: tuple[str, ...]
    innocent: tuple[str, ...]
    """Goods whose words sound like a copy's and are none."""
    used: tuple[str, ...]
    soft: tuple[str, ...]
    """'Inspired by', 'style': review at most."""
    part: tuple[str, ...]
    plain: tuple[str, ...]


@cache
def speech(language: str) -> Speech:
    """Return the phrases of a language. Raises ValueError when its file is malformed."""
    path = FOLDER / f"{language}.txt"
    found: dict[str, list[str]] = {}
    section = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("[") and text.endswith("]"):
            section = text[1:-1]
            if section not in SECTIONS or section in found:
                raise ValueError(f"{path.name}:{number}: unknown or repeated section '{section}'")
            found[section] = []
        elif not section:
            raise ValueError(f"{path.name}:{number}: a phrase before the first section")
        else:
            found[section].append(text)
    missing = [name for name in SECTIONS if not found.get(name)]
    if missing:
        raise ValueError(f"{path.name}: nothing in {', '.join(missing)}")
    return Speech(language, **{name: tuple(found[name]) for name in SECTIONS})


@cache
def all_replica_words() -> tuple[str, ...]:
    """Return the replica vocabulary of every language, casefolded."""
    return tuple(
        dict.fromkeys(
            word.casefold() for language in LANGUAGES for word in speech(language).replica
        )
    )
