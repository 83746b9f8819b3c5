"""Reference data: codes and classes."""

from __future__ import annotations

import pytest

from agents.monitoring.reference import (
    COUNTRIES,
    MINOR_UNIT_EXPONENT,
    countries,
    is_country,
    nice_classes,
)


def test_currencies() -> None:
    assert MINOR_UNIT_EXPONENT["EUR"] == 2
    assert MINOR_UNIT_EXPONENT["JPY"] == 0
    assert MINOR_UNIT_EXPONENT["KWD"] == 3
    assert "XAU" not in MINOR_UNIT_EXPONENT
    assert len(MINOR_UNIT_EXPONENT) > 150


def test_countries() -> None:
    assert len(COUNTRIES) == 249
    assert "NO" in COUNTRIES  # which YAML takes for a truth value, unquoted
    assert countries(("de", " fr ", "ZZ", "")) == {"DE", "FR"}
    assert countries(("UK", "EL")) == {"GB", "GR"}
    assert len(countries(("EU",))) == 27
    assert is_country("eu")
    assert not is_country("Germany")


@pytest.mark.parametrize(
    ("path", "number"),
    [
        (("Women Shoes",), 25),
        (("Sepatu Wanita",), 25),
        (("Ropa de Mujer",), 25),
        (("รองเท้าผู้หญิง",), 25),
        (("女裝",), 25),
        (("Thời Trang Nữ",), 25),
        (("Mobiles & Tablets", "Smartphones"), 9),
        (("Jewelry & Watches",), 14),
        (("Bolsas de Mujer",), 18),
        (("Toys & Games",), 28),
        (("Wines & Spirits",), 33),
    ],
)
def test_classes_of_categories(path: tuple[str, ...], number: int) -> None:
    assert number in nice_classes(path)


def test_classes_of_nothing() -> None:
    assert nice_classes(()) == frozenset()
    assert nice_classes(("Xyzzy",)) == frozenset()
    assert nice_classes(("Carpentry",)) == frozenset()  # neither car nor carpet
