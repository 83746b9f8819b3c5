"""What a word of copying may be about other than the goods: `innocent` entries name a topic.

The words of a topic are the same in every language's file; each file adds what stands near them:
`ratio: 'aspect ratio|gear ratio'` excuses a bare '1:1' near 'aspect ratio'. A topic never excuses
a word that says more: '1:1 replica', 'AAA copy'.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Topic(NamedTuple):
    """What a word of copying is about, and how near what says so has to stand."""

    words: str
    """The words that it excuses, as an expression."""
    beside: bool
    """Whether it excuses only with few words between, as a proportion or a grade stands."""


TOPICS: Final = {
    # a proportion, a size in print, an exchange
    "ratio": Topic(
        r"1 ?(?:[:∶]|to|on|a|zu|do|pour|к|в|x) ?1|one (?:to|on|for) one|一比一|1比1|uno a uno"
        r"|um (?:por|para) um|un pour un|eins zu eins|один в один|jeden do jednego"
        r"|bire ?bir|bire bir",
        beside=True,
    ),
    # cells of a remote control, what a torch runs on
    "cells": Topic(r"[аa]{3,5}|triple a|triplo a|tripla a", beside=False),
    # what machines and offices do: keys, cards, documents, books, routing
    "copying": Topic(
        r"cop(?:y|ies|ier|iar|iare)|copi[ae]s?|cópias?|copiad[oa]s?|kopi(?:en?|e|a|i|ę)?"
        r"|kopya(?:sı)?|salinan|bản sao|sao chép|ก[๊็]อปปี้|คอปปี้|ก[๊็]อ[ปบ]|نسخ(?:ة|ه)?|كوبي"
        r"|копи[яиюй]|копией|拷贝|duplicates?|duplicad[oa]s?|clone[sd]?|clon(?:es)?(?: de)?"
        r"|clonad[oa]s?|klon(?:en?|y)?|kloning|клон(?:ы|а)?|كلون|โคลน|克隆|replicated|replicad[oa]s?",
        beside=False,
    ),
    # a picture shown on another screen, a surface that reflects
    "mirror": Topic(r"mirror|ميرور|มิเรอร์|มิลเรอร์", beside=False),
    # a grade of what is used, eaten or grown
    "grade": Topic(
        r"(?:grade|gred|เกรด|grado|kelas|classe|klasse|kualitas|kualiti|quality|qualité|qualità"
        r"|qualität|calidad|qualidade|qualidad) ?[аa]{1,2}\+*|[аa]{1,2}\+* ?(?:grade|quality"
        r"|kalite|qualität|级|級)|a品|1\.? kalite",
        beside=True,
    ),
    # a model, a toy, a thing of the stage or the museum
    "model": Topic(
        r"r[eé]pli[ck](?:as?|e|en)?|replik(?:a|i|en|ate?)?|repliche|r[eé]pliques?|реплик[аи]"
        r"|копи[яи]|cop(?:y|ies)|copi[ae]s?|cópias?|kopi[ae]n?|nachbildung(?:en)?|imitation"
        r"|1 ?[:∶] ?1|[复復複][刻制製]品?|เรพลิก้า|tiruan|salinan|bản sao|نسخة|تقليد",
        beside=False,
    ),
}
"""By the name that the files give it."""
