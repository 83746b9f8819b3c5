"""Marks are found however they are disguised, and not where there are none."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.monitoring.confusables import load_table
from agents.monitoring.marks import MarkMatch, MarkMatcher
from agents.monitoring.marks.skeleton import skeletons
from streams.texts import Texts

MARKS = [
    "Nike", "Adidas", "Gucci", "Philips", "Dell", "Lilly", "Levi's", "H&M", "LV", "BMW",
    "Coca-Cola", "Apple", "Apple Watch", "耐克", "Найк", "Amazon", "Swarovski", "Maria", "Boss",
    "Nova", "Nestlé", "Converse", "Dolce & Gabbana", "3M", "Samsung", "Sonos", "Clinique",
    "Burnley", "Romantic Crown", "ESR", "資生堂",
]  # fmt: skip


@cache
def matcher() -> MarkMatcher:
    return MarkMatcher(MARKS)


def found(title: str) -> list[tuple[str, str, str]]:
    """Return mark, text and strength of everything found, once the screen agrees."""
    matches = matcher().find({"title": title})
    screened = matcher().screen(Texts.of([[b"oak table"], [title.encode()], [b"lamp", b"red"]]))
    assert set(screened) == ({1} if matches else set())
    return [(MARKS[match.mark], match.text, match.strength) for match in matches]


@pytest.mark.parametrize(
    ("title", "mark", "text"),
    [
        ("Nike Air", "Nike", "Nike"),
        ("NIKE!", "Nike", "NIKE"),
        ("#nike", "Nike", "nike"),
        ("Nike|Shoes|Men", "Nike", "Nike"),
        ("Nike(Air)", "Nike", "Nike"),
        ("Nike®", "Nike", "Nike"),
        ("รองเท้าNIKE ของแท้", "Nike", "NIKE"),
        ("正品耐克运动鞋", "耐克", "耐克"),
        ("кроссовки Найк", "Найк", "Найк"),
        ("coca cola", "Coca-Cola", "coca cola"),
        ("CocaCola", "Coca-Cola", "CocaCola"),
        ("Levis 501", "Levi's", "Levis"),
        ("Levi’s 501", "Levi's", "Levi’s"),
        ("H & M dress", "H&M", "H & M"),
        ("dolce gabbana", "Dolce & Gabbana", "dolce gabbana"),
        ("Dolce and Gabbana", "Dolce & Gabbana", "Dolce and Gabbana"),
        ("nestle", "Nestlé", "nestle"),
        ("NESTLE\u0301", "Nestlé", "NESTLE\u0301"),
        ("3M tape", "3M", "3M"),
        ("LV bag", "LV", "LV"),
        ("正品LV包包", "LV", "LV"),
        ("LV包", "LV", "LV"),
        ("กระเป๋าBMWของแท้", "BMW", "BMW"),
        ("AppleWatch band", "Apple Watch", "AppleWatch"),
    ],
)
def test_plain_marks(title: str, mark: str, text: str) -> None:
    assert found(title) == [(mark, text, "plain")]


HIDDEN = [
    ("Nikе air", "Nike", "confusable"),  # the last letter is Cyrillic
    ("ПΙКЕ", "Nike", "confusable"),
    ("ɴɪᴋᴇ shoes", "Nike", "confusable"),
    ("Ｎｉｋｅ", "Nike", "compatibility"),
    ("𝐍𝐢𝐤𝐞", "Nike", "compatibility"),
    ("ⓃⒾⓀⒺ", "Nike", "compatibility"),
    ("🅝🅘🅚🅔", "Nike", "compatibility"),
    ("🇳🇮🇰🇪", "Nike", "compatibility"),
    ("ⁿⁱᵏᵉ", "Nike", "compatibility"),
    ("Ni\u200bke", "Nike", "zero_width"),
    ("Ni\u00adke", "Nike", "zero_width"),
    ("N\ufe0fi\ufe0fke", "Nike", "zero_width"),
    ("Ni\u202eke", "Nike", "zero_width"),
    ("Ni\U000e0041ke", "Nike", "zero_width"),
    ("Ni\u3164ke", "Nike", "zero_width"),
    ("N\u0336i\u0336k\u0336e\u0336", "Nike", "combining"),
    ("N\u0300\u0301\u0302\u0303ike", "Nike", "combining"),
    ("Níķē", "Nike", "accent"),
    ("N1ke", "Nike", "digit"),
    ("4did4s", "Adidas", "digit"),
    ("Sam5ung", "Samsung", "digit"),
    ("Swar0vski", "Swarovski", "digit"),
    ("De1l", "Dell", "digit"),
    ("@did@$", "Adidas", "symbol"),
    ("Gu((i", "Gucci", "symbol"),
    ("new (onverse", "Converse", "symbol"),
    ("Gucc! bag", "Gucci", "symbol"),
    ("N|ke", "Nike", "symbol"),
    ("convers€", "Converse", "symbol"),
    ("|\\|ike", "Nike", "drawing"),
    ("NlKE", "Nike", "look_alike"),
    ("GVCCI", "Gucci", "look_alike"),
    ("Arnazon", "Amazon", "sequence"),
    ("Aclidas", "Adidas", "sequence"),
    ("GUCCl belt", "Gucci", "look_alike"),
    ("耐.克 鞋", "耐克", "spaced"),
    ("耐*克", "耐克", "spaced"),
    ("Сliniquе", "Clinique", "confusable"),
    ("C l i n i q u e", "Clinique", "spaced"),
    ("Buгnley", "Burnley", "confusable"),
    ("Burnlеy", "Burnley", "confusable"),
    ("N i k e shoes", "Nike", "spaced"),
    ("N.I.K.E", "Nike", "spaced"),
    ("N-i-k-e", "Nike", "spaced"),
    ("N*I*K*E", "Nike", "spaced"),
    ("N!I!K!E", "Nike", "spaced"),
    ("N👟I👟K👟E", "Nike", "spaced"),
    ("N\u3000I\u3000K\u3000E", "Nike", "spaced"),
    ("N\nI\nK\nE", "Nike", "spaced"),
    ("G U C C I", "Gucci", "spaced"),
    ("P H I L I P S", "Philips", "spaced"),
    ("L I L L Y", "Lilly", "spaced"),
    ("B M W", "BMW", "spaced"),
    ("ad.idas", "Adidas", "spaced"),
    ("addidas", "Adidas", "doubled"),
    ("Nikkee", "Nike", "doubled"),
    ("N*ke", "Nike", "censored"),
    ("G*cci", "Gucci", "censored"),
    ("N&#105;ke", "Nike", "markup"),
    ("N&#x69;ke", "Nike", "markup"),
    ("N<b>i</b>ke", "Nike", "markup"),
    ("Ni&shy;ke", "Nike", "markup"),
    ("c0ca-c0la", "Coca-Cola", "digit"),
    ("G**ci bag", "Gucci", "censored"),
    ("Swar?vski earrings", "Swarovski", "censored"),
    ("Dolce & Gabb_na", "Dolce & Gabbana", "censored"),
    ("\u202esadidA\u202c", "Adidas", "backwards"),
    ("N1\ufe0f\u20e3ke", "Nike", "digit"),
    ("G1\ufe0f\u20e3u1\ufe0f\u20e3c1\ufe0f\u20e3c1\ufe0f\u20e3i", "Gucci", "spaced"),
    ("A🇺🇸didas", "Adidas", "spaced"),
    ("GUC匚I", "Gucci", "confusable"),
    ("卂ᗪ丨ᗪ卂丂", "Adidas", "confusable"),
    ("&amp;#78;ike", "Nike", "markup"),
    ("N&#0105ke", "Nike", "markup"),
    ("C0nvèrse", "Converse", "accent"),
    ("convvverse", "Converse", "doubled"),
    ("nnaria bag", "Maria", "sequence"),
    ("ａｄｉ★ｄａｓ", "Adidas", "spaced"),
    ("ｈ＆ｍ", "H&M", "compatibility"),
    ("ѕаmѕung купить недорого сегодня", "Samsung", "confusable"),
    ("P*h*i*i*l*l*i*p*s", "Philips", "doubled"),
    ("40 mm a d d i d a s", "Adidas", "doubled"),
    ("N✨Î✨Î✨K✨E", "Nike", "doubled"),
    ("Swarov/ski", "Swarovski", "spaced"),
    ("Ama(zon", "Amazon", "spaced"),
    ("Gu cci", "Gucci", "spaced"),
    ("Phi lips", "Philips", "spaced"),
    ("Clini,que", "Clinique", "spaced"),
    ("phil-ips", "Philips", "spaced"),
    ("b*oss", "Boss", "spaced"),
    ("Gucc*", "Gucci", "censored"),
    ("Swar.vski", "Swarovski", "censored"),
    ("Coca ?ola", "Coca-Cola", "censored"),
    ("Dolce & *abbana", "Dolce & Gabbana", "censored"),
    ("Burn×ey", "Burnley", "censored"),
    ("N3s7l3 x", "Nestlé", "digit"),
    ("sam5un9 x", "Samsung", "digit"),
    ("S0n0$ x", "Sonos", "symbol"),
    ("$0nos x", "Sonos", "digit"),
    ("c\u200bo\u200bn\u200bv\u200be\u200br\u200b$\u200be", "Converse", "symbol"),
    ("C#l#i#n#|#q#u#e", "Clinique", "symbol"),
    ("|evi's 501", "Levi's", "symbol"),
    ("Rom^anticCrown", "Romantic Crown", "spaced"),
    ("Ro;man;tic;Cr;own", "Romantic Crown", "spaced"),
    ("Bu ṟn ley", "Burnley", "accent"),
    ("Ṥwar\tovski", "Swarovski", "accent"),
    ("Şwarǒ vski", "Swarovski", "accent"),
    ("Ⓟhi ＋ liⓟs", "Philips", "compatibility"),
    ("Ⓢ ⓐ msⓤ ⓝⓖ", "Samsung", "compatibility"),
    ("8\u200b0\u200b5\u200b5", "Boss", "digit"),
    ("E—ṠR", "ESR", "accent"),
    ("資∙生堂", "資生堂", "spaced"),
    ("L𝐕 bag", "LV", "compatibility"),
    ("ꓡ・ꓦ bag", "LV", "confusable"),
    ("ḺṼ bag", "LV", "accent"),
    ("Nฯiฯkฯe", "Nike", "spaced"),
    ("GㆍuㆍcㆍcㆍI", "Gucci", "spaced"),
    ("N\u0e48i\u0e48k\u0e48e", "Nike", "combining"),
    ("Gucci\u064b\u064b", "Gucci", "combining"),
    ("A\u3099di\u1b6bda\U0001e8d0s", "Adidas", "combining"),
]


@pytest.mark.parametrize(("title", "mark", "fold"), HIDDEN)
def test_hidden_marks_are_found_with_the_folds_they_took(title: str, mark: str, fold: str) -> None:
    (match,) = matcher().find({"title": title})
    assert (MARKS[match.mark], match.strength) == (mark, "hidden")
    assert fold in match.folds
    found(title)


@pytest.mark.parametrize(
    "title",
    [
        "Nikes", "Juniker", "snike", "Nike2000x", "em 11", "size S M L", "H M L", "B055 filter",
        "la novela", "micro soft pillow", "| phone | 60 Pro", "1:1 scale", "40 MM", "AAA batteries",
        "Sony NP-FW50", "ab3m", "ОАО Рассвет", "đồng hồ nữ", "áo thun nam", "нова коллекция",
        "รองเท้าแตะ", "耐心克服", "red / orange", "Ama, zon", "S M L L XL 3 M",
        "apple-pie recipes for applesauce"[10:], "𝐋-𝐕 𝐒-𝐌", "sam, sung by him", "es, r", "資 生堂",
    ],
)  # fmt: skip
def test_honest_texts_name_no_mark(title: str) -> None:
    assert found(title) == []


@pytest.mark.parametrize(
    "title",
    ["8MW M5", "Marla dress", "no va", "Nlke", "J U N I K E R", "Philip*", "L.V bag", "E·SR",
     "swaro, vski"],
)  # fmt: skip
def test_what_may_be_an_honest_word_is_weak(title: str) -> None:
    assert {strength for _, _, strength in found(title)} == {"weak"}


def test_the_longest_mark_wins_and_both_of_two_are_found() -> None:
    assert found("Apple Watch for Apple") == [
        ("Apple Watch", "Apple Watch", "plain"),
        ("Apple", "Apple", "plain"),
    ]
    assert [mark for mark, _, _ in found("Nike Adidas style")] == ["Nike", "Adidas"]


def test_spans_point_into_the_original() -> None:
    title = "👟 №1 ﬁne Ni\u200bkе\u0301 Air"
    (match,) = matcher().find({"title": title})
    assert match.text == title[match.start : match.end]
    assert match.text.startswith("Ni\u200bkе")
    assert match.reading.text[match.read_start : match.read_end]


def test_fields_are_kept_apart() -> None:
    matches = matcher().find({"title": "N I", "brand": "K E", "attributes.x": "Nike"})
    assert [(match.field, match.text) for match in matches] == [("attributes.x", "Nike")]


TABLE = load_table()
BY_LETTER: dict[str, list[str]] = {}
for _code, _readings in TABLE.readings.items():
    # What NFKC makes several characters of, and second thoughts beyond the second, are not read.
    for _reading in _readings[:2]:
        if len(_reading) == 1 and _reading.isalpha() and _code not in TABLE.invisible:
            BY_LETTER.setdefault(_reading, []).append(chr(_code))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_confusable_of_the_table_hides_a_mark_in_vain(data: st.DataObject) -> None:
    """One letter of a mark is replaced by any character that reads as it."""
    mark = data.draw(st.sampled_from(["Nike", "Adidas", "Swarovski", "Converse", "Samsung"]))
    place = data.draw(st.integers(0, len(mark) - 1))
    disguise = data.draw(st.sampled_from(BY_LETTER[mark[place].lower()]))
    title = f"new {mark[:place]}{disguise}{mark[place + 1 :]} shoes"
    matches = matcher().find({"title": title})
    assert [MARKS[match.mark] for match in matches] == [mark], title


ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from(list("NIKEnike .-*|!\\/<>&;#1$@\u200b\u0301\u0336И耐克กÀ🇳ﬁ№\n")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_the_way_back_is_monotonic_and_within_bounds(text: str) -> None:
    for skeleton in skeletons(text):
        places = skeleton.places.tolist()
        assert places == sorted(set(places))
        spans = [skeleton.span(place, place + 1) for place in places]
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert spans == sorted(spans)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ANY_TEXT, max_size=3), max_size=6))
def test_the_screen_sees_exactly_what_reading_a_listing_by_itself_finds(
    listings: list[list[str]],
) -> None:
    named = [{str(n): text for n, text in enumerate(fields)} for fields in listings]
    alone = [matcher().find_all([fields])[0] for fields in named]
    screened = matcher().screen(
        Texts.of([[text.encode() for text in fields] for fields in listings])
    )
    marked = {number for number, found in enumerate(alone) if found.marks}
    by_themselves = {number for number, seen in screened.items() if seen is None}
    assert marked <= set(screened) <= marked | by_themselves
    for number, seen in screened.items():
        if seen is not None:
            assert matcher().found(seen, named[number]) == alone[number]


def test_the_sign_between_texts_hides_no_listing_behind_it() -> None:
    """U+FFFF is what texts are joined with. A seller who writes it must not shift the others."""
    texts = [[b"a"], ["x\uffffy\uffff".encode()], [b"b"], [b"Nike shoe", b""], [b"c"]]
    screened = matcher().screen(Texts.of(texts))
    assert set(screened) == {1, 3}
    assert screened[1] is None
    seen = screened[3]
    assert seen is not None
    found = matcher().found(seen, {"title": "Nike shoe"})
    assert found is not None
    assert [match.text for match in found.marks] == ["Nike"]


def test_what_was_seen_in_another_text_is_not_taken_for_the_listings_own() -> None:
    (seen,) = matcher().screen(Texts.of([[b"Nike shoe"]])).values()
    assert seen is not None
    assert matcher().found(seen, {"title": "A shoe"}) is None


@settings(max_examples=100, deadline=None)
@given(ANY_TEXT, st.randoms())
def test_the_order_of_marks_does_not_matter(text: str, random: object) -> None:
    shuffled = sorted(MARKS, key=lambda mark: hash((mark, id(random))))
    other = MarkMatcher(shuffled)

    def by_name(matches: list[MarkMatch], marks: list[str]) -> set[tuple[str, int, int, str]]:
        return {(marks[m.mark], m.start, m.end, m.strength) for m in matches}

    title = {"title": f"Nike {text} Gucc! Adidas"}
    assert by_name(matcher().find(title), MARKS) == by_name(other.find(title), shuffled)


@pytest.mark.parametrize(
    "text",
    [
        "N" + "\u0301" * 200_000, "|\\" * 100_000, "<b>" * 100_000, "&#105;" * 60_000,
        "n i k e " * 40_000, "N!" * 100_000, "\u200b" * 300_000, "i1l|" * 80_000, "(" * 300_000,
        "é" * 300_000, "🇳" * 100_000, "Nike " * 60_000,
    ],
)  # fmt: skip
def test_hostile_texts_are_read_like_any_other(text: str) -> None:
    matcher().find({"title": text})
    matcher().screen(Texts.of([[text.encode()]]))


def test_what_nobody_reads_is_not_read_but_judged_on_its_beginning() -> None:
    """Time and memory stay bounded by design: 40,000 characters of a listing count."""
    fields = {f"attributes.{n}": "red " * 9_000 for n in range(30)}
    assert matcher().screen(Texts.of([[text.encode() for text in fields.values()]])) == {0: None}
    assert matcher().find(fields) == []
    assert matcher().find({"title": "Nike", **fields})
    assert not matcher().find({"description": "red " * 10_000, "attributes.x": "Nike"})
