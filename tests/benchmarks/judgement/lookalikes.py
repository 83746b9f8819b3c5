"""Characters that look like Latin letters, script by script, as forgers draw them.

Collected by hand from what can be seen in shops and in "fancy text" pages, not from the table that
is judged.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from typing import Final

Table = dict[str, tuple[str, ...]]


def _table(pairs: str) -> Table:
    """Read 'aа AА' : a Latin letter, then the characters that look like it."""
    found: dict[str, list[str]] = {}
    for group in pairs.split():
        found.setdefault(group[0], []).extend(group[1:])
    return {letter: tuple(others) for letter, others in found.items()}


def _both_cases(pairs: str) -> Table:
    table = _table(pairs)
    return table | {letter.upper(): others for letter, others in table.items()}


CYRILLIC: Final = _table(
    "aа eе oо cс pр xх yуү iі jј sѕ hһ dԁ qԛ wԝ vѵ lӏ kк mм tт bвь nп rг uц "
    "AА BВ EЕЁ KК MМ HН OО PР CС TТ XХ SЅ IІӀ JЈ YҮУ WԜ QԚ GԌ ZЗ VѴ"
)
GREEK: Final = _table(
    "aα eε iι kκ nη oοσ pρ tτ uυμ vν wω xχ yγ cϲ jϳ bβ sς "
    "AΑ BΒ EΕ ZΖ HΗ IΙ KΚ MΜ NΝ OΟ PΡ TΤ YΥ XΧ CϹ"
)
FAUX_CYRILLIC: Final = _both_cases("nИи rЯя uЦ wШЩ zЗ")
ARMENIAN: Final = _table("oօ uս nո hհ gց jյ qզ lլ SՏ OՕ LԼ UՍ fք")
CHEROKEE: Final = _table(
    "AᎪ BᏴ CᏟ DᎠ EᎬ GᏀ HᎻ JᎫ KᏦ LᏞ MᎷ PᏢ RᏒ SᏚ TᎢ VᏙ WᏔ ZᏃ iᎥ yᎩ"
)  # fmt: skip
LISU: Final = _table(
    "AꓮBꓐ".replace("B", " B")
    + " CꓚDꓓ".replace("D", " D")
    + " EꓰFꓝ".replace("F", " F")
    + " Gꓖ Hꓧ Iꓲ Jꓙ Kꓗ Lꓡ Mꓟ Nꓠ Oꓳ Pꓑ Rꓣ Sꓢ Tꓔ Uꓴ Vꓦ Wꓪ Xꓫ Yꓬ Zꓜ"
)
COPTIC: Final = _table("AⲀ BⲂ EⲈ HⲎ IⲒ KⲔ MⲘ NⲚ OⲞ PⲢ CⲤ TⲦ XⲬ YⲨ ZⲌ oⲟ pⲣ cⲥ")
SYLLABICS: Final = _both_cases(
    "pᑭ uᑌ dᗪ aᗩ bᗷ cᑕ eᗴ fᖴ hᕼ jᒍ kᛕ lᒪ mᗰ nᑎ rᖇ sᔕ vᐯ wᗯ xᚷ"
)  # fmt: skip
CJK_FONT: Final = _both_cases(
    "a卂 b乃 c匚 e乇 f千 h卄 i丨 l乚 m爪 n几 p卩 r尺 s丂 t丅 u凵 w山 x乂 y丫 z乙"
)
LATIN: Final = _table(
    "aɑ gɡ iıɩ lłƚ oøө dđ hħ tŧ kƙ bƀɓ fƒ uʊ vʋ wɯ nɲ rɍ sʂ zƶ eɇ cȼ yɏ pƥ "
    "AȺ DĐ HĦ LŁ OØ TŦ BɃ EɆ GǤ IƗ JɈ RɌ ZƵ"
)
NUMERALS: Final = _table("iⅰ lⅼ cⅽ dⅾ mⅿ vⅴ xⅹ IⅠ LⅬ CⅭ DⅮ MⅯ VⅤ XⅩ")
RIGHT_TO_LEFT: Final = _both_cases("oס٥ه lו١ا iן vטv٧ uע".replace("v٧", "٧"))
SMALL_CAPITALS: Final = _both_cases(
    "aᴀ bʙ cᴄ dᴅ eᴇ fꜰ gɢ hʜ iɪ jᴊ kᴋ lʟ mᴍ nɴ oᴏ pᴘ rʀ sꜱ tᴛ uᴜ vᴠ wᴡ yʏ zᴢ"
)
SUPERSCRIPT: Final = _table(
    "aᵃ bᵇ cᶜ dᵈ eᵉ fᶠ gᵍ hʰ iⁱ jʲ kᵏ lˡ mᵐ nⁿ oᵒ pᵖ rʳ sˢ tᵗ uᵘ vᵛ wʷ xˣ yʸ zᶻ "
    "Aᴬ Bᴮ Dᴰ Eᴱ Gᴳ Hᴴ Iᴵ Jᴶ Kᴷ Lᴸ Mᴹ Nᴺ Oᴼ Pᴾ Rᴿ Tᵀ Uᵁ Vⱽ Wᵂ Cᶜ Sˢ Fᶠ"
)
SUBSCRIPT: Final = _both_cases("aₐ eₑ hₕ iᵢ jⱼ kₖ lₗ mₘ nₙ oₒ pₚ rᵣ sₛ tₜ uᵤ vᵥ xₓ")
ACCENTED: Final = _table(
    "aáàâäåāăą eéèêëēėę iíìîïī oóòôöõō uúùûüů nñńň cçćč sśšş zżźž yýÿ lĺľ rŕř kķ gğĝ tťţ hĥ wŵ "
    "AÁÀÂÄÅ EÉÈÊË IÍÌÎÏ OÓÒÔÖ UÚÙÛÜ NÑŃ CÇĆ SŚŠŞ ZŻŽ YÝ LĹ RŘ KĶ GĞ TŤ HĤ WŴ"
)
LEET: Final = _both_cases("o0 i1 l1 e3 a4 s5 t7 b8 g9 z2")
SYMBOLS: Final = _both_cases("a@ s$ c¢ e€ i!¡| l|£ o°¤ t†+ y¥ x× bß uµ f∂ pþ".replace("f∂", "d∂"))
EMOJI: Final = _both_cases("o⭕🅾🔴🌕⚽ a🅰 b🅱 p🅿 x❌ m♏ i❗ t✝ s💲 c🌜 v♈")
SEVERAL: Final[dict[str, tuple[str, ...]]] = {
    "w": ("vv", "\\/\\/", "uu"),
    "v": ("\\/",),
    "n": ("|\\|", "/\\/"),
    "m": ("rn", "|\\/|", "nn"),
    "k": ("|<", "|{"),
    "h": ("|-|", "]-["),
    "u": ("|_|", "(_)"),
    "o": ("()", "[]"),
    "d": ("cl", "|)"),
    "l": ("|_",),
    "a": ("/\\", "/-\\"),
    "x": ("><",),
    "b": ("|3", "13"),
    "r": ("|2",),
}

_STYLES: Final = (
    "MATHEMATICAL BOLD", "MATHEMATICAL ITALIC", "MATHEMATICAL BOLD ITALIC", "MATHEMATICAL SCRIPT",
    "MATHEMATICAL BOLD SCRIPT", "MATHEMATICAL FRAKTUR", "MATHEMATICAL BOLD FRAKTUR",
    "MATHEMATICAL DOUBLE-STRUCK", "MATHEMATICAL SANS-SERIF", "MATHEMATICAL SANS-SERIF BOLD",
    "MATHEMATICAL SANS-SERIF ITALIC", "MATHEMATICAL SANS-SERIF BOLD ITALIC",
    "MATHEMATICAL MONOSPACE",
)  # fmt: skip
_LETTERLIKE: Final = {"ITALIC": "PLANCK CONSTANT", "DOUBLE-STRUCK": "DOUBLE-STRUCK CAPITAL {}"}


def _lookup(names: Iterable[str]) -> str:
    for name in names:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return ""


def _styled(style: str) -> dict[str, str]:
    """Return the letters and digits of a mathematical style; holes are filled as Unicode does."""
    short = style.removeprefix("MATHEMATICAL ")
    found = {}
    for letter in string.ascii_letters:
        case = "CAPITAL" if letter.isupper() else "SMALL"
        names = [f"{style} {case} {letter.upper()}", f"{short} {case} {letter.upper()}"]
        if short == "FRAKTUR":
            names.append(f"BLACK-LETTER {case} {letter.upper()}")
        if letter == "h":
            names.append("PLANCK CONSTANT")
        found[letter] = _lookup(names) or letter
    digits = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
    for number, word in enumerate(digits):
        found[str(number)] = _lookup([f"{style} DIGIT {word}"]) or str(number)
    return found


MATHEMATICAL: Final = {style: _styled(style) for style in _STYLES}


def _run(capital: int | None, small: int | None) -> dict[str, str]:
    found = {}
    for number, letter in enumerate(string.ascii_lowercase):
        if capital is not None:
            found[letter.upper()] = chr(capital + number)
        if small is not None:
            found[letter] = chr(small + number)
    for letter in string.ascii_lowercase:
        found.setdefault(letter, found.get(letter.upper(), letter))
        found.setdefault(letter.upper(), found[letter])
    return found


ENCLOSED: Final = {
    "circled": _run(0x24B6, 0x24D0),
    "circled black": _run(0x1F150, None),
    "squared": _run(0x1F130, None),
    "squared black": _run(0x1F170, None),
    "in brackets": _run(0x1F110, 0x249C),
}
REGIONAL: Final = _run(0x1F1E6, None)
FULL_WIDTH: Final = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
