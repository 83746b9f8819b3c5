"""The confusables table: what has to be in it, what must not, and files that are refused."""

from __future__ import annotations

import re
import shutil
import string
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import agents.monitoring.confusables
from agents.monitoring.confusables import ConfusablesError, load_table, read_table

DATA = Path(agents.monitoring.confusables.__file__).parent
ICU = Path(__file__).with_name("confusables_icu.tsv")
LETTERS = string.ascii_lowercase

BRANDS = (
    "adidas", "apple", "balenciaga", "bmw", "bosch", "bulgari", "burberry", "chanel", "cocacola",
    "dior", "dyson", "ferrari", "fjallraven", "givenchy", "gucci", "hermes", "jbl", "kenzo",
    "lacoste", "lego", "longines", "moncler", "nike", "omega", "prada", "quiksilver", "rolex",
    "sony", "vans", "xbox", "yamaha", "zara",
)  # fmt: skip


def reads_as(text: str) -> list[set[str]]:
    """Return, for each character that shows, everything it may read as."""
    table = load_table()
    shown = [c for c in text if ord(c) not in table.invisible]
    return [{c.lower(), *table.readings.get(ord(c), ())} for c in shown]


def may_read(text: str, word: str) -> bool:
    """Return whether a text can be read as a word by choosing a reading of each character."""
    ends = {0}
    for options in reads_as(text):
        ends = {
            start + len(option)
            for start in ends
            for option in options
            if word.startswith(option, start)
        }
    return len(word) in ends


@pytest.mark.parametrize(
    "text",
    [
        "Νіке", "Νікe", "ИІКЕ", "ɴɪᴋᴇ", "🅝🅘🅚🅔", "🇳🇮🇰🇪", "ⓝⓘⓚⓔ", "𝐍𝐢𝐤𝐞", "ｎｉｋｅ",
        "ⁿⁱᵏᵉ", "ₙᵢₖₑ", "Ñïķé", "Ǹíķè", "ŋıĸe", "ПIКЕ", "пікe", "₦!K€", "ℕ𝕚𝕜𝕖", "🄽🄸🄺🄴", "🅽🅸🅺🅴",
        "N1KE", "N|K3", "n¡ke", "N\u200bI\u00adK\u2060E", "N\ufe0fi\ufe0fk\ufe0fe",
        "N\u202eI\u202cKE", "N\u034fi\u115fke", "N\u0336i\u0336k\u0336e\u0336", "Nͥ̈́ikͣe",
        "\U000e004e\U000e0049\U000e004b\U000e0045ＮＩＫＥ", "𝓝𝓲𝓴𝓮", "𝕹𝖎𝖐𝖊", "ꓠꓲꓗꓰ", "Ꮑ𐌉Ꮶ𐊆", "ᑎIKE",
        "ηιкε", "ηικε", "₦łк∈", "Niκє", "ⲚⲒⲔⲈ", "ᛁ".join(("Ν", "ᛕЕ")),
    ],
)  # fmt: skip
def test_a_mark_is_read_in_every_guise(text: str) -> None:
    assert may_read(text, "nike")


def test_small_cyrillic_that_the_uts39_skeleton_leaves_alone() -> None:
    assert may_read("ВМW", "bmw")
    assert may_read("вмш", "bmw")
    for disguised, letter in zip("кмтнвпиягльъэшщзхчцфдую", "kmthbnurrnbbewwzxyuoayo", strict=True):
        assert letter in load_table().readings[ord(disguised)]


@pytest.mark.parametrize(
    ("characters", "letters"),
    [
        ("βηκμτχαγδεζινοπρσςυφψω", "bnkutxaydezivonpscuqyw"),
        ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"),
        ("ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz", "aqcpefghijklmuodbrstnvwxyz"),
        ("ʰʲʳʷʸˡˢˣᵃᵇᶜᵈᵉᶠᵍⁱᵏᵐⁿᵒᵖᵗᵘᵛᶻ", "hjrwylsxabcdefgikmnoptuvz"),
        ("@$!|+(<#€©¢", "asiltcchecc"),
        ("4!1|7+30859€62$", "aiiltteobsgegzs"),
        ("αвς∂єfgнιנкℓмησρqяѕтυνωχуz", LETTERS),
        ("ᗩᗷᑕᗪEᖴGᕼIᒍKᒪᗰᑎOᑭᑫᖇᔕTᑌᐯᗯ᙭Yᘔ", LETTERS),
        ("ꍏꌃꉓꀸꍟꎇꁅꃅꀤꀭꀘ꒒ꂵꈤꂦꉣꆰꋪꌗ꓄ꀎꃴꅏꊼꌩz", LETTERS),
        ("ᎪᏴᏟᎠᎬfᎶhᎥjᏦᏞmᏁᎾᏢqᏒᏚᎿuᏉᎳxᎽᏃ", LETTERS),
        ("₳฿₵ĐɆ₣₲ⱧłJ₭Ⱡ₥₦Ø₱QⱤ₴₮ɄV₩ӾɎⱫ", LETTERS),
        ("ÄßÇÐÈ£GHÌJKLMñÖþQR§†ÚVW×¥Z", LETTERS),
        ("ɑҍϲժҽƒցհíյƙӀʍղօρզɾՏԵմѵաxՎՀ", LETTERS),
        ("ΛBCDΞFGHIJҜLMПФPQЯSTЦVЩЖУZ", LETTERS),
        ("וןס०۰٧۷", "llooovv"),
    ],
)
def test_alphabets_that_stand_in_for_the_latin_one(characters: str, letters: str) -> None:
    assert len(characters) == len(letters)
    for character, letter, options in zip(characters, letters, reads_as(characters), strict=True):
        assert letter in options, f"{character} does not read as {letter}"


@pytest.mark.parametrize(
    ("character", "reading"),
    [("㎞", "km"), ("№", "no"), ("œ", "oe"), ("Œ", "oe"), ("æ", "ae"), ("ß", "ss"), ("ﬁ", "fi"),
     ("ю", "io"), ("ы", "bi"), ("🆎", "ab"), ("Ⅳ", "iv"), ("℡", "tel"), ("⑩", "10"), ("ǆ", "dz"),
     ("ĳ", "ij"), ("㏂", "am"), ("∞", "oo"), ("ﬃ", "ffi"), ("㎏", "kg")],
)  # fmt: skip
def test_one_character_may_read_as_several_letters(character: str, reading: str) -> None:
    assert reading in load_table().readings[ord(character)]


@pytest.mark.parametrize(
    ("character", "likeliest"),
    [("и", "n"), ("п", "n"), ("ш", "w"), ("г", "r"), ("з", "3"), ("ч", "4"), ("н", "h"),
     ("в", "b"), ("ß", "b"), ("Ν", "n"), ("ν", "v"), ("ρ", "p"), ("１", "1"), ("Ⅰ", "i"),
     ("ℓ", "l"), ("0", "o"), ("$", "s")],
)  # fmt: skip
def test_the_likeliest_reading_stands_first(character: str, likeliest: str) -> None:
    assert load_table().readings[ord(character)][0] == likeliest


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        ("éñüçøłđħŧışğñẤợßæœþðŋəİƒɓ", "accent"),
        ("ｎⓝ𝐍🅝🇳ⁿℕ㎞№ﬁⅣ①𝟎０ª\U000e004e\u036b", "compatibility"),
        ("ɴᴀꜱꞮ", "small_capital"),
        ("кΝԱᎪⲀꓮ𐐄ᗩⴹᚱ𐌀𐒰𐊠𑢠ס٧ɐɔʍ", "script"),
        ("€£¥₩₱©®∆∑†¡@$!|+(<#＠™°", "symbol"),
        ("0123456789०", "digit"),
    ],
)
def test_kinds(characters: str, kind: str) -> None:
    kinds = load_table().kind
    assert {c: kinds[ord(c)] for c in characters} == dict.fromkeys(characters, kind)


def test_every_letter_can_be_reached_in_many_ways() -> None:
    table = load_table()
    scripts = defaultdict(set)
    styles = defaultdict(set)
    for code, readings in table.readings.items():
        name = unicodedata.name(chr(code), "").split()
        for reading in readings:
            if name and table.kind[code] == "script":
                scripts[reading].add(name[0])
            elif name:
                styles[reading].add(" ".join(name[:-1]))
    for letter in LETTERS:
        assert len(scripts[letter]) >= 5, letter
        assert len(styles[letter] | scripts[letter]) >= 8, letter


def test_every_single_letter_mapping_of_icu_outside_left_out_scripts() -> None:
    table = load_table()
    checked = 0
    for line in ICU.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            continue
        field, skeleton, _script = line.split("\t")
        code = int(field, 16)
        wanted = {"i", "l", "1"} if skeleton == "l" else {skeleton}
        wanted |= {"o"} if skeleton == "0" else set()
        if code not in table.invisible:
            assert wanted & set(table.readings[code]), f"U+{field} does not read as {skeleton}"
            checked += 1
    assert checked > 1_000


FONT = "卂乃匚乇千卄丨ﾌㄥ乚爪几ㄖ卩尺丂ㄒ丅ㄩ凵山乂ㄚ丫乙"
"""Signs that fonts made of ideographs and kana draw letters with; the skeleton takes them for those
only beside ASCII letters or each other."""
LOOK_ALIKES = "ంಂംංഠဝଠዐሀଃ৪੪੧୨৭൭"
"""Letters, signs and digits that UTS #39 takes for Latin ones, read so in the same way."""
LEFT_OUT = re.compile(
    r"CJK|HANGUL|HIRAGANA|KATAKANA|BOPOMOFO|THAI|LAO|KHMER|MYANMAR|DEVANAGARI|BENGALI|GURMUKHI"
    r"|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA|TIBETAN|ETHIOPIC|JAVANESE"
)


def codes_of_unicode() -> Iterator[tuple[int, str]]:
    for code in range(0x80, 0x110000):
        name = unicodedata.name(chr(code), "")
        if name:
            yield code, name


def test_every_normal_form_that_is_a_latin_letter_or_digit() -> None:
    table = load_table()
    for code, name in codes_of_unicode():
        for form in ("NFKC", "NFKD"):
            read = unicodedata.normalize(form, chr(code))
            read = "".join(c for c in read if not unicodedata.combining(c)).lower()
            if len(read) == 1 and read.isascii() and read.isalnum():
                assert read in table.readings[code], f"U+{code:04X} {name}"


@pytest.mark.parametrize(
    "pattern",
    [
        r"LATIN (?:SMALL|CAPITAL) LETTER ([A-Z])(?: WITH (?!SMALL LETTER).*)?",
        r"LATIN LETTER SMALL CAPITAL ([A-Z])",
        r"LATIN SUBSCRIPT SMALL LETTER ([A-Z])",
        r"MODIFIER LETTER (?:SMALL|CAPITAL) ([A-Z])(?: WITH .*)?",
        r"(?:NEGATIVE )?(?:CIRCLED|SQUARED) LATIN (?:SMALL|CAPITAL) LETTER ([A-Z])",
        r"(?:PARENTHESIZED|FULLWIDTH|TAG) LATIN (?:SMALL|CAPITAL) LETTER ([A-Z])",
        r"REGIONAL INDICATOR SYMBOL LETTER ([A-Z])",
        r"MATHEMATICAL .* (?:SMALL|CAPITAL) ([A-Z])",
        r"(?:DOUBLE-STRUCK|SCRIPT|BLACK-LETTER) (?:ITALIC )?(?:SMALL|CAPITAL) ([A-Z])",
        r"COMBINING LATIN SMALL LETTER ([A-Z])",
    ],
)
def test_every_character_that_is_named_after_a_letter(pattern: str) -> None:
    table = load_table()
    matches = 0
    for code, name in codes_of_unicode():
        match = re.fullmatch(pattern, name)
        if match:
            assert match[1].lower() in table.readings[code], f"U+{code:04X} {name}"
            matches += 1
    assert matches >= 10


def test_brands_written_with_every_character_that_stands_for_one_of_their_letters() -> None:
    disguises: dict[str, list[str]] = defaultdict(list)
    for code, readings in load_table().readings.items():
        for reading in readings:
            disguises[reading].append(chr(code))
    for brand in BRANDS:
        for at, letter in enumerate(brand):
            assert len(disguises[letter]) > 40, letter
            for character in disguises[letter]:
                if ord(character) in load_table().invisible:
                    continue
                text = brand[:at] + character + brand[at + 1 :]
                assert may_read(text, brand), text


def test_scripts_whose_letters_are_words_of_their_own_are_left_out() -> None:
    table = load_table()
    for code in table.readings:
        name = unicodedata.name(chr(code), "")
        if LEFT_OUT.match(name):
            allowed = name.endswith("DIGIT ZERO") or "SIGN" in name or "SYMBOL" in name
            assert allowed or chr(code) in FONT + LOOK_ALIKES, name
    for text in (
        "耐克运动鞋男款新品正品", "ナイキのシューズ", "나이키 운동화", "รองเท้าไนกี้ของแท้", "ເກີບ",
        "ស្បែកជើង", "ဖိနပ်", "नाइकी के जूते", "நைக்", "জুতা", "ጫማ", "བོད", "儿エロ卩", "くノ丁",
    ):  # fmt: skip
        assert [c for c in text if ord(c) in table.readings and c not in FONT] == []


def test_plain_letters_are_not_in_it() -> None:
    table = load_table()
    for character in string.ascii_letters:
        assert ord(character) not in table.readings
        assert ord(character) not in table.invisible
        assert not table.separator(ord(character))
    for character in string.digits:
        assert not table.separator(ord(character))
        assert ord(character) not in table.invisible


def test_readings_are_plain_and_kinds_complete() -> None:
    table = load_table()
    assert table.version
    assert set(table.kind) == set(table.readings)
    for code, readings in table.readings.items():
        assert readings
        assert all(re.fullmatch("[a-z0-9]+", reading) for reading in readings), hex(code)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ([0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD, 0x180E], "zero_width"),
        ([0xFE00, 0xFE0F, 0xE0100, 0xE01EF, 0x180B], "zero_width"),  # variation selectors
        ([0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069, 0x061C], "zero_width"),
        ([0xE0001, 0xE0020, 0xE004E, 0xE007F], "zero_width"),
        ([0x115F, 0x1160, 0x3164, 0xFFA0, 0x17B4, 0x17B5, 0x034F], "zero_width"),
        ([0x2061, 0x2064, 0x2065, 0xFFF0, 0xFFF8, 0xFFF9, 0xFFFB, 0x1D173], "zero_width"),
        ([0x00, 0x08, 0x7F, 0x9F], "zero_width"),
        ([0x0300, 0x036F, 0x0483, 0x0489, 0x1AB0, 0x1DC0, 0x1DFF, 0x20D0, 0x20FF], "combining"),
        ([0xFE20, 0xFE2F, 0x0336, 0x20DD, 0x20E3], "combining"),
    ],
)
def test_what_takes_no_room(codes: list[int], kind: str) -> None:
    invisible = load_table().invisible
    assert {code: invisible.get(code) for code in codes} == dict.fromkeys(codes, kind)


def test_marks_of_scripts_that_need_them_are_no_stray_ones() -> None:
    for text in ("้", "ี", "ा", "़", "ّ", "ָ", "ֿ", "゙", "ံ"):
        assert ord(text) not in load_table().invisible


def test_what_stands_between_letters() -> None:
    table = load_table()
    between = (
        " \t\n\u00a0\u2003\u3000\u2009\u2028\u205f.,;:-_/\\|+*~·•‧∙●○◦▪■□◆★☆✦✿❤♥→⇒─│┃═▓"
        "‐–—―−ー・、。「」（）【】…‥«»'’\"´`^=🔥⭐✨💥👟🚀🏽⠀ㅤ\ufffc™®©€«§¶ـ丨"
    )
    assert [c for c in between if not table.separator(ord(c))] == []
    letters = "aZ09éñкΝ中한あアไ🅰🅱🅾🆎🇳ⓝ①ｎⁿ²№\u0301\u200b"
    assert [c for c in letters if table.separator(ord(c))] == []


def test_look_alikes_of_several_characters() -> None:
    sequences = {each.text: each for each in load_table().sequences}
    for text, letter in (
        ("vv", "w"), ("VV", "w"), ("rn", "m"), ("cl", "d"), ("lc", "k"), (r"|\|", "n"),
        (r"/\/", "n"), (r"|\/|", "m"), (r"/\/\ ".strip(), "m"), (r"\/\/", "w"), (r"\/", "v"),
        ("|<", "k"), ("|{", "k"), ("|-|", "h"), ("|)", "d"), ("|3", "b"), ("()", "o"), ("[]", "o"),
        ("/\\", "a"), ("/-\\", "a"), ("|_", "l"), ("|_|", "u"), ("(_)", "u"), ("><", "x"),
        ("}{", "x"), ("I", "l"), ("l", "i"),
    ):  # fmt: skip
        assert letter in sequences[text].readings
        assert sequences[text].kind == ("letters" if any(c.isalpha() for c in text) else "art")
    lengths = [len(each.text) for each in load_table().sequences]
    assert lengths == sorted(lengths, reverse=True)
    drawable = {r for each in load_table().sequences for r in each.readings}
    assert drawable <= set(LETTERS)


@pytest.mark.parametrize(
    "title",
    ["$12.99 - $20", "40 MM", "1:1 scale", "(3 pcs) [2 pcs]", "50% + 10%", "5/8 x 1/2", "<br>",
     "-> NEW <-", "S/M/L/XL", "A | B || C", "***SALE***", "^_^ :-) <3", "100% (new)",
     "(12 GB)(6.8')"],
)  # fmt: skip
def test_what_honest_titles_are_punctuated_with_draws_no_letter(title: str) -> None:
    drawn = [each.text for each in load_table().sequences if each.kind == "art"]
    assert [text for text in drawn if text in title] == []


def test_the_table_is_read_once() -> None:
    assert load_table() is load_table()


@pytest.fixture(name="folder")
def folder_of_copies(tmp_path: Path) -> Path:
    for path in DATA.glob("*.tsv"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_a_copy_reads_alike(folder: Path) -> None:
    assert read_table(folder) == load_table()


@pytest.mark.parametrize(
    ("name", "row", "problem"),
    [
        ("table.tsv", "0430\ta\tscript", r"U\+0430 stands twice"),
        ("table.tsv", "0061\ta\tscript", r"plain letter 'a'"),
        ("table.tsv", "005A\tz\tscript", r"plain letter 'Z'"),
        ("table.tsv", "4E00\t\tscript", r"reading ''"),
        ("table.tsv", "4E00\tA\tscript", r"reading 'A'"),
        ("table.tsv", "4E00\tа\tscript", r"reading 'а'"),
        ("table.tsv", "4E00\ta  b\tscript", r"reading ''"),
        ("table.tsv", "4E00\ta a\tscript", r"stands twice in 'a a'"),
        ("table.tsv", "4E00\ta\tscrpit", r"unknown kind 'scrpit'"),
        ("table.tsv", "4E00\ta", r"2 fields, 3 are needed"),
        ("table.tsv", "4e00\ta\tscript", r"'4e00' is no code point"),
        ("table.tsv", "110000\ta\tscript", r"no code point"),
        ("table.tsv", "D800\ta\tscript", r"no code point"),
        ("table.tsv", "one\ta\tscript", r"no code point"),
        ("invisible.tsv", "200B\tzero_width", r"U\+200B stands twice"),
        ("invisible.tsv", "4E00\tthin", r"unknown kind 'thin'"),
        ("invisible.tsv", "4E02-4E00\tzero_width", r"ends before it begins"),
        ("invisible.tsv", "0060-0062\tzero_width", r"plain letter or digit"),
        ("separators.tsv", "0020", r"does not come after"),
        ("separators.tsv", "0030", r"plain letter or digit"),
        ("sequences.tsv", "vv\tw\tletters", r"'vv' stands twice"),
        ("sequences.tsv", "xy\tw\tart", r"not of kind 'art'"),
        ("sequences.tsv", "|||\tw\tletters", r"not of kind 'letters'"),
        ("sequences.tsv", "|||\tw\tdrawing", r"unknown kind 'drawing'"),
        ("sequences.tsv", "|||\tW\tart", r"reading 'W'"),
        ("sequences.tsv", "ⅰ|\tn\tletters", r"printable ASCII"),
        ("sequences.tsv", "q\tq\tletters", r"reads as itself"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(
    folder: Path, name: str, row: str, problem: str
) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}{row}\n", encoding="utf-8")
    line = text.count("\n") + 1
    with pytest.raises(ConfusablesError, match=rf"^{name}:{line}: .*{problem}"):
        read_table(folder)


def empty(path: Path) -> None:
    path.write_text("# version: 1\n", encoding="utf-8")


def without_version(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace("# version: ", "# "), encoding="utf-8")


def of_another_version(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub("# version: .*", "# version: other", text), encoding="utf-8")


def not_text(path: Path) -> None:
    path.write_bytes(b"# version: 1\n\xff\n")


@pytest.mark.parametrize("name", ["table.tsv", "invisible.tsv", "separators.tsv", "sequences.tsv"])
@pytest.mark.parametrize(
    "damage", [empty, without_version, of_another_version, not_text, Path.unlink]
)
def test_a_broken_file_is_refused(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(ConfusablesError, match=r"\.tsv:"):
        read_table(folder)


def test_the_files_are_of_one_version() -> None:
    for path in DATA.glob("*.tsv"):
        assert f"# version: {load_table().version}\n" in path.read_text(encoding="utf-8")
