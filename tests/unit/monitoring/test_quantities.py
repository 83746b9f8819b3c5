"""Several pieces and parts, in the words of each language; and what only looks like it."""

from __future__ import annotations

import pytest

from agents.monitoring.quantities import says_part, says_several


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Socks pack of 10", "pack of 10"),
        ("10 pcs hair clips", "10 pcs"),
        ("30PCS clips", "30pcs"),
        ("Lot of 5 shirts", "lot of 5"),
        ("6-pack of socks", "6-pack"),
        ("Wholesale shirts", "wholesale"),
        ("Shampoo 400 ml x2", "x2"),
        ("Shampoo (2x)", "(2x)"),
        ("3 x Shirt, blue", "3 x "),
        ("Paquete de 12 calcetines", "paquete de 12"),
        ("Calcetines 6 piezas", "6 piezas"),
        ("Kit com 3 camisas", "kit com 3"),
        ("Kaos kaki isi 12", "isi 12"),
        ("Tas koper HARGA GROSIR", "grosir"),
        ("Baju 5 helai", "5 helai"),
        ("ถุงเท้า แพ็ค 6", "แพ็ค 6"),
        ("ถุงเท้า10คู่", "10คู่"),
        ("牙貼 14入", "14入"),
        ("袜子10双", "10双"),
        ("Combo 3 áo", "combo 3"),
        ("Socken 5er-Pack", "5er-pack"),
        ("Lot de 4 chaussettes", "lot de 4"),
        ("Носки 10 шт", "10 шт"),
        ("Çorap 6 adet", "6 adet"),
        ("Skarpety 5 par", "5 par"),
    ],
)
def test_several(title: str, words: str) -> None:
    assert says_several(title) == words


@pytest.mark.parametrize(
    "title",
    [
        "Running shoes size 42",
        "1 pcs charger",
        "BMW X5 model car",
        "Poco X3 phone case",
        "10x zoom binoculars",
        "Camera 1080p 64GB",
        "Galaxy S9 128 GB",
        "Size 10.5 pcs",
        "Packing cubes",
        "Poster 30 x 40 cm",
        "iPhone 12 Pro Max",
        "Headset 2024 edition",
        "Setof10",
        "Perfume 100 ml",
        "Windows 10 parts",
    ],
)
def test_one(title: str) -> None:
    assert says_several(title) == ""


@pytest.mark.parametrize(
    "title",
    [
        "Spare parts for drill",
        "Repuesto de motor",
        "Suku cadang motor",
        "SPAREPART KOPER",
        "Peça de reposição",
        "อะไหล่รถยนต์",
        "手机维修件",
        "Phụ tùng xe máy",
        "Ersatzteil Mixer",
        "Pièces détachées",
        "Ricambio originale",
        "Запчасти для дрели",
        "Części zamienne",
        "Yedek parça",
        "For parts or repair",
    ],
)
def test_parts(title: str) -> None:
    assert says_part(title)


@pytest.mark.parametrize(
    "title", ["Party dress", "Two part swimsuit", "Departs today", "Wig middle part", "Spare bag"]
)
def test_no_parts(title: str) -> None:
    assert says_part(title) == ""
