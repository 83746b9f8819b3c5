"""Markup within words: tags and entities of HTML, escaped once or several times."""

from __future__ import annotations

import html
import re
from typing import Final

MARKUP: Final = re.compile(
    r"<(?:/?[A-Za-z][^<>\uffff]{0,200}|!--[^\uffff]{0,200}?--)>"
    # Escaped once or several times; numbers may lack the semicolon.
    r"|(&(?:amp;|AMP;){0,3}(?:lt|LT|#0{0,8}60|#[xX]0{0,8}3[cC]);"
    r"(?:/?[A-Za-z][^<>\uffff]{0,100}?|!--[^\uffff]{0,100}?--)"
    r"&(?:amp;|AMP;){0,3}(?:gt|GT|#0{0,8}62|#[xX]0{0,8}3[eE]);)"
    r"|&(?:amp;|AMP;){0,3}(?:#0{0,8}\d{1,7};?|#[xX]0{0,8}[0-9A-Fa-f]{1,6};?|[A-Za-z]{2,31};)"
)
"""A tag, a tag that is escaped (the first group), or an entity."""
_TAG: Final = re.compile(r"<[^<>]*>")
_LINE_TAG: Final = re.compile(
    r"<\s*/?\s*(?:br|p|div|li|ul|ol|t[drh]|h[1-6r])\b[^<>]*>", re.IGNORECASE
)
"""Tags that begin another line, or another cell of a table."""


def unescaped(entity: str) -> str:
    """Return the text without HTML entities, also where it was escaped several times."""
    for _ in range(4):
        text = html.unescape(entity)
        if text == entity:
            break
        entity = text
    return entity


def ends_in_markup(text: str, end: int) -> bool:
    """Return whether the last sign of a drawing begins a tag."""
    return text[end - 1] == "<" and MARKUP.match(text, end - 1) is not None


def without_tags(text: str) -> str:
    """Return a text without its tags, and a line's end where one begins another line."""
    return _TAG.sub("", _LINE_TAG.sub("\n", text)) if "<" in text else text
