"""Texts looked for as whole words: the trie in C finds what a plain search finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.monitoring.folding import folded_reading
from agents.monitoring.vocabulary.expansion import NUMBER, begun, literals
from agents.monitoring.vocabulary.expressions import Entry, Expressions, pattern_of
from agents.monitoring.vocabulary.phrases import Hit, Phrases, script_of, with_ending

LETTERS = "abAéß12 -_.:'’的ไทย́\u200bﬁﷺкмa\n\t☆🙂عـ"
PHRASES = (
    "a", "a ", "ab", "a b", "ab:1", "b 2", "é", "的", "ไทย", "км", f"{NUMBER} b", f"a{NUMBER}",
    f"1{NUMBER}", "ع",
)  # fmt: skip


def plainly(text: str, phrases: dict[str, list[int]]) -> set[Hit]:
    """Return what `Phrases.find` should find, letter by letter."""
    spaced = folded_reading(text).replace("-", " ").replace("_", " ")
    kept = [at for at in range(len(spaced)) if spaced[at] != " " or spaced[at - 1 : at] != " "]
    read = "".join(spaced[at] for at in kept)
    longest: dict[tuple[int, int], int] = {}

    def joined(left: int) -> bool:
        """Return whether no word ends between a character and the next."""
        if left < 0 or left + 1 >= len(read):
            return False
        script = script_of(read[left])
        return bool(script) and script == script_of(read[left + 1])

    for phrase, noted in phrases.items():
        pattern = re.escape(phrase).replace(NUMBER, "[0-9]+(?![0-9])")
        for start in range(len(read)):
            match = re.compile(pattern).match(read, start)
            if match is None or joined(start - 1):
                continue
            for number in noted:
                end = match.end()
                if number < 0:
                    entry, least = divmod(-1 - number, 8)
                    if phrase.endswith(" ") and end < len(read) and script_of(read[end]):
                        end += 1
                    while joined(end - 1):
                        end += 1
                    if end - match.end() < least:
                        continue
                elif joined(end - 1):
                    continue
                else:
                    entry = number
                if end > longest.get((entry, start), -1):
                    longest[entry, start] = end
    return {Hit(entry, kept[start], kept[end - 1] + 1) for (entry, start), end in longest.items()}


@given(
    st.lists(st.text(LETTERS, max_size=30), min_size=1, max_size=4),
    st.dictionaries(
        st.sampled_from(PHRASES),
        st.lists(
            st.integers(0, 3) | st.builds(with_ending, st.integers(0, 3), st.integers(0, 2)),
            min_size=1,
            max_size=3,
            unique=True,
        ),
        min_size=1,
    ),
)
@example(["12 b", "a12 b a-12"], {f"{NUMBER} b": [0], f"a{NUMBER}": [1]})
@example(["ab abé abb ab\u200bc"], {"ab": [0, with_ending(1, 0), with_ending(2, 1)]})
@example(["a ab 的b"], {"a ": [with_ending(0, 1)], "的": [with_ending(1, 0)]})
@example(["12 b", "112"], {f"{NUMBER} b": [0], "12": [0], f"1{NUMBER}": [1]})
@example(["abab ab"], {"a": [with_ending(0, 0)], "ab": [with_ending(0, 0), 0]})
@example(["ﷺ", "", "ไทยไทย"], {"ไทย": [0, 1], "ع": [with_ending(2, 0)]})
def test_what_a_plain_search_finds_is_found(
    texts: list[str], phrases: dict[str, list[int]]
) -> None:
    lines = Phrases(phrases).find(texts)
    assert lines.data.split(b"\n") == [
        re.sub(" +", " ", re.sub("[-_]", " ", folded_reading(text))).encode() for text in texts
    ]
    assert [lines.data[start - 1 : start] for start in lines.starts[1:]] == [b"\n"] * (
        len(texts) - 1
    )
    for number, text in enumerate(texts):
        hits = lines.hits.get(number, [])
        assert set(hits) == plainly(text, phrases)
        assert hits == sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.entry))


def test_more_text_than_there_is_room_for_makes_room() -> None:
    phrases = Phrases({"copy": [0]})
    lines = phrases.find(["copy " * 20_000, "ﷺ" * 5_000, *["copy"] * 40_000])
    assert len(lines.hits[0]) == 20_000
    assert lines.hits[1 + 40_000] == [Hit(0, 0, 4)]
    assert 1 not in lines.hits


def test_what_no_text_can_carry_is_read_as_a_question_mark() -> None:
    assert Phrases({"copy": [0]}).find(["copy \ud800 copy"]).hits == {
        0: [Hit(0, 0, 4), Hit(0, 7, 11)]
    }


def test_too_many_entries_at_one_place_are_refused() -> None:
    Phrases({"a": list(range(40)), "ab": list(range(40, 64))})
    with pytest.raises(ValueError, match="64 entries stand for 'ab'"):
        Phrases({"a": list(range(40)), "ab": list(range(40, 65))})


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("cop(?:y|ies)", ["copies", "copy"]),
        ("vrai[es]*", ["vrai", "vraie", "vraiee", "vraies", "vrais", "vraise", "vraiss"]),
        ("[0-9]+ ?gb", [f"{NUMBER} gb", f"{NUMBER}gb"]),
        ("a{1,2}", ["a", "aa"]),
        (r"\w+ez", None),
        ("[a-z]+", None),
        ("(?:a|b)+", None),
    ],
)
def test_an_expression_is_written_out_where_it_stands_for_few(
    pattern: str, texts: list[str] | None
) -> None:
    assert literals(pattern) == texts


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"fals\w*", (["fals"], 0)),
        ("(?:fals|fälsch)[a-zäöü]+", (["fals", "fälsch"], 1)),
        ("me[a-z]{3,}", (["me"], 3)),
        ("copi[es]*", None),
        ("[a-z]*", None),
        (r"\w+(?:ons|ez)", None),
        ("x[0-9]+", None),
    ],
)
def test_words_with_any_ending_are_known_by_their_beginning(
    pattern: str, found: tuple[list[str], int] | None
) -> None:
    assert begun(pattern) == found


@pytest.mark.parametrize("text", ["can't tell", "can’t tell", "cant tell", "can t tell"])
def test_a_full_stop_is_an_apostrophe(text: str) -> None:
    source = "can.?t tell"
    entry = Entry("en", "innocent", source, pattern_of(source, accents=False))
    assert [(hit.start, hit.end) for hit in Expressions([entry]).hits(text)] == [(0, len(text))]


def test_texts_read_together_have_the_hits_of_each() -> None:
    sources = ("copy", r"\w+(?:ons|ez)", "a ?1", "not (?:\\w+ ){0,2}copy")
    entries = [Entry("en", "innocent", source, source) for source in sources]
    expressions = Expressions(entries)
    texts = ["évitez the copy", "", "a_1", "it is not", "a copy", "not just a  copy"]
    together = expressions.hits_of(texts)
    alone = {number: hits for number, text in enumerate(texts) if (hits := expressions.hits(text))}
    assert together == alone
    assert list(together) == [0, 2, 4, 5]
    assert Hit(3, 0, 16) in together[5]
