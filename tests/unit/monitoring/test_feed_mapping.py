"""Mappings, and the reading of marketplace rows with them. All rows here are invented."""

from __future__ import annotations

import csv
import io
import json
import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from agents.monitoring.feed import (
    FeedError,
    FeedMapping,
    MappingError,
    load_mapping,
    read_listings,
    read_sellers,
)
from agents.monitoring.feed.mapping import parse_mapping
from agents.records import Image, Listing, Refused, Seller, parse_time

NOW = parse_time("2025-03-01T12:00:00Z")

SMALL = """\
marketplace: acme
listing:
  listing_id: sku
  seller_id: shop
  title: name
"""

LAZADA = {
    "sku": "100200_MY-300400",
    "title": "  Enamel Camping Mug 350ml 🏕️ with carabiner\u200b handle ",
    "seller_name": "Hilltop Outfitters",
    "domain": "https://www.lazada.com.my",
    "product_description": "Boils over a fire.\nTwo colours.",
    "brand": "No Brand",
    "breadcrumb": '["Sports","Camping","Cookware"]',
    "final_price": "2.780000000000000e+01",
    "currency": "MYR",
    "product_specifications": json.dumps(
        [
            {"name": "Brand", "value": "No Brand"},
            {"name": "SKU", "value": "100200_MY-1"},
            {"name": "Condition", "value": "New"},
            {"name": "Gtin", "value": "4006381333931"},
            {"name": "Material", "value": "Steel"},
        ]
    ),
    "product_variation": '[{"name":"Colour","value":"Moss"}]',
    "image": '["https://img.test/1.jpg","https://img.test/2.jpg","https://img.test/1.jpg"]',
    "lazmall": "true",
    "seller_ratings": "0.96",
}
SHOPEE = {
    "id": "7001",
    "title": "Gorra bordada de algodón",
    "shop_url": "https://shopee.cl/Gorra-1/2-Algodon/gorras_del_sur.cl",
    "domain": "https://shopee.cl",
    "Product Description": "",
    "brand": "",
    "breadcrumb": '["Moda","Gorras"]',
    "final_price": "9459",
    "currency": "CLP",
    "Product Specifications": json.dumps(
        [
            {"name": "Existencias", "value": "Cero"},
            {"name": "Condición", "value": "Usado"},
            {"name": "Envío desde", "value": "Valparaíso"},
            {"value": "a value without a name"},
        ]
    ),
    "product_variation": '[{"name":"model","value":null}]',
    "image": '["https://img.test/gorra.jpg"]',
    "seller_joined_date": "Wed Apr 05 2023 10:00:00 GMT+0000 (Coordinated Universal Time)",
    "seller_rating": "0",
}
SHEIN = {
    "product_id": "42",
    "product_name": "1pc Ribbed Glass Vase",
    "brand": "Unbeatablesale",
    "description": "Vase.",
    "category_tree": '[{"name":"Home","url":"https://x.test"},{"name":"Vases","url":"https://y.test"}]',
    "final_price": "12.5",
    "currency": "USD",
    "main_image": "https://img.test/v.jpg",
    "image_urls": '["https://us.shein.com/A-Vase,With,Commas","https://img.test/v2.jpg"]',
    "other_attributes": '[{"name":"Style","value":"Boho"},{"name":"Style","value":"Plain"}]',
    "country_code": "US",
    "domain": "us.shein.com",
}


def write_csv(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode())
    return path


def listing_of(tmp_path: Path, mapping: FeedMapping, row: dict[str, str]) -> Listing:
    (found,) = read_listings(write_csv(tmp_path / "rows.csv", [row]), mapping, NOW)
    assert isinstance(found, Listing), found
    return found


def refusals(found: Iterable[Listing | Seller | Refused]) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in found if isinstance(row, Refused)]


def test_a_lazada_row(tmp_path: Path) -> None:
    listing = listing_of(tmp_path, load_mapping("lazada"), LAZADA)
    assert listing.listing_id == "lazada:100200_MY-300400"
    assert listing.seller_id == "lazada:MY:Hilltop Outfitters"
    assert listing.title == "Enamel Camping Mug 350ml 🏕️ with carabiner\u200b handle"
    assert (listing.description, listing.brand) == ("Boils over a fire.\nTwo colours.", "")
    assert listing.category_path == ("Sports", "Camping", "Cookware")
    assert (listing.price_minor, listing.currency) == (2780, "MYR")
    assert listing.condition == "NEW"
    assert listing.gtins == ("4006381333931",)
    assert listing.images == (Image("https://img.test/1.jpg"), Image("https://img.test/2.jpg"))
    assert listing.attributes == {"Condition": "New", "Material": "Steel", "Colour": "Moss"}
    assert (listing.ships_to, listing.language) == (("MY",), "")
    assert listing.occurred_at == NOW


def test_a_shopee_row(tmp_path: Path) -> None:
    listing = listing_of(tmp_path, load_mapping("shopee"), SHOPEE)
    assert listing.listing_id == "shopee:7001"
    assert listing.seller_id == "shopee:cl:gorras_del_sur.cl"
    assert (listing.price_minor, listing.currency) == (9459, "CLP"), "a peso has no minor unit"
    assert listing.quantity is None, "'Cero' is free text"
    assert listing.condition == "USED"
    assert (listing.ship_from, listing.ships_to, listing.language) == ("CL", ("CL",), "es")


def test_a_shein_row(tmp_path: Path) -> None:
    mapping = load_mapping("shein")
    listing = listing_of(tmp_path, mapping, SHEIN)
    assert (listing.seller_id, listing.brand) == ("shein:Unbeatablesale", "")
    assert listing.category_path == ("Home", "Vases")
    assert listing.images == (Image("https://img.test/v.jpg"), Image("https://img.test/v2.jpg"))
    assert listing.attributes["Style"] == "Boho, Plain"
    other = listing_of(tmp_path, mapping, {**SHEIN, "brand": "Velmora"})
    assert (other.seller_id, other.brand) == ("shein:third-party:Velmora", "Velmora")


def test_sellers_are_told_once(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "shopee.csv", [SHOPEE, {**SHOPEE, "id": "7002"}])
    assert list(read_sellers(path, load_mapping("shopee"))) == [
        Seller("shopee:cl:gorras_del_sur.cl", created_at=parse_time("2023-04-05T10:00:00Z"))
    ]
    path = write_csv(tmp_path / "lazada.csv", [LAZADA])
    assert list(read_sellers(path, load_mapping("lazada"))) == [
        Seller("lazada:MY:Hilltop Outfitters", kind="BUSINESS", verified=True, rating=4.8)
    ]
    path = write_csv(tmp_path / "bad.csv", [{**SHOPEE, "seller_joined_date": "last spring"}])
    ((line, reason),) = refusals(read_sellers(path, load_mapping("shopee")))
    assert line == 2
    assert reason.startswith("field 'seller.created_at': expected a time")


def test_the_same_row_fed_twice_is_one_event(tmp_path: Path) -> None:
    mapping = load_mapping("shein")
    path = write_csv(tmp_path / "rows.csv", [SHEIN])
    (first,) = read_listings(path, mapping, NOW)
    (again,) = read_listings(path, mapping, NOW + 60_000)
    changed = listing_of(tmp_path, mapping, {**SHEIN, "final_price": "11"})
    assert isinstance(first, Listing)
    assert isinstance(again, Listing)
    assert first.event_id == again.event_id != changed.event_id


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": "  "}, "field 'title': nothing in column 'title', and it is required"),
        ({"final_price": "a lot"}, "field 'price_minor': expected a number, got 'a lot'"),
        ({"final_price": "12,50"}, "field 'price_minor': expected a number, got '12,50'"),
        ({"final_price": "-3"}, "field 'price_minor': '-3' is below zero"),
        ({"final_price": "1e300"}, "field 'price_minor': '1e300' is too large to be meant"),
        ({"currency": "RM"}, "field 'currency': 'RM' is no ISO 4217 code"),
        ({"currency": ""}, "field 'price_minor': a price without a currency"),
        ({"breadcrumb": '["Sports'}, "field 'category_path': not JSON: Input data was truncated"),
        ({"title": "Mug\0"}, "column 'title': a NUL byte"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    path = write_csv(tmp_path / "rows.csv", [LAZADA, {**LAZADA, **changes}, LAZADA])
    found = list(read_listings(path, load_mapping("lazada"), NOW))
    assert [type(row) for row in found] == [Listing, Refused, Listing]
    # The first row takes lines 2 and 3: its description has a line break.
    assert refusals(found) == [(4, reason)]


def test_a_price_put_where_nothing_is_on_sale_is_no_price(tmp_path: Path) -> None:
    row = {**LAZADA, "final_price": "1.000000000000000e-02"}
    assert listing_of(tmp_path, load_mapping("lazada"), row).price_minor is None


@pytest.mark.parametrize(
    ("text", "sign", "minor"),
    [
        ("5.553200000000001e+02", ".", 55532),
        ("1,299.00", ".", 129900),
        ("1.299,90", ",", 129990),
        ("12,5", ",", 1250),
        ("1 299,90", ",", 129990),
        (".5", ".", 50),
    ],
)
def test_prices_as_they_are_written(tmp_path: Path, text: str, sign: str, minor: int) -> None:
    mapping = parse_mapping(
        SMALL
        + f"  price_minor: {{column: price, decimal: '{sign}'}}\n  currency: {{value: EUR}}\n",
        "m.yaml",
    )
    row = {"sku": "1", "shop": "s", "name": "Vase", "price": text}
    assert listing_of(tmp_path, mapping, row).price_minor == minor


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("4006381333931", True),
        ("96385074", True),
        ("036000291452", True),
        ("4006381333932", False),
        ("40063813339310", False),
        ("0000000000000", False),
        ("12345", False),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", False),
    ],
)
def test_gtins_with_a_wrong_check_digit_are_dropped(
    tmp_path: Path, digits: str, valid: bool
) -> None:
    mapping = parse_mapping(SMALL + "  gtins: {column: code, separator: ','}\n", "m.yaml")
    row = {"sku": "1", "shop": "s", "name": "Vase", "code": f"{digits[:4]} {digits[4:]}, 12"}
    assert listing_of(tmp_path, mapping, row).gtins == ((digits,) if valid else ())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (SMALL + "  titel: name\n", "m.yaml:6: unknown field 'titel' (did you mean 'title'?)"),
        (
            SMALL + "  brand: {colum: b}\n",
            "m.yaml:6: field 'brand': unknown option 'colum' (did you mean 'column'?)",
        ),
        (SMALL + "  title: t\n", "m.yaml:6: 'title' stands here twice"),
        (SMALL + "extra: 1\n", "unknown key 'extra'"),
        (SMALL + "  mpn: {column: a, value: b}\n", "and has 'column' and 'value'"),
        (SMALL + "  mpn: {names: [a]}\n", "and has none of them"),
        (
            SMALL + "  mpn: {column: a, pattern: '('}\n",
            "m.yaml:6: field 'mpn': the pattern is no regular expression:",
        ),
        (SMALL + "  mpn: {column: a, times: 2}\n", "unknown option 'times'"),
        (SMALL + "  mpn:\n", "m.yaml:6: field 'mpn': expected a text"),
        (SMALL + "  price_minor: p\n", "'price_minor' needs a source for 'currency' as well"),
        (SMALL + "seller: {joined: j}\n", "m.yaml:6: unknown field 'joined'"),
        (SMALL + "encoding: utf-9\n", "m.yaml:6: unknown encoding 'utf-9'"),
        (SMALL + "  mpn: &a {join: [*a]}\n", "sources within sources deeper than 6"),
        ("marketplace: acme\n", "m.yaml:1: 'listing' is missing"),
        ("marketplace: acme\nlisting: {title: a}\n", "m.yaml:2: field 'listing_id' has no source"),
        ("marketplace: [\n", "m.yaml:2: not YAML:"),
        ("[" * 5000, "m.yaml: nested too deeply"),
        ("marketplace: a b\nlisting: {}\n", "m.yaml:1: 'marketplace' takes letters"),
        ("", "m.yaml: empty; a mapping has 'marketplace' and 'listing'"),
    ],
)
def test_a_mapping_with_a_mistake(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(MappingError) as caught:
        load_mapping(str(path))
    assert error in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"no mapping 'shopeee' \(did you mean 'shopee'\?\)"):
        load_mapping("shopeee")
    with pytest.raises(MappingError, match=r"none\.yaml: No such file"):
        load_mapping(str(tmp_path / "none.yaml"))


def test_norway_is_not_false(tmp_path: Path) -> None:
    mapping = parse_mapping(SMALL + "  ships_to: {column: to, values: {no: NO}}\n", "m.yaml")
    row = {"sku": "1", "shop": "s", "name": "Vase", "to": "no"}
    assert listing_of(tmp_path, mapping, row).ships_to == ("NO",)


def test_missing_columns_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("SKU,shop\n1,a\n")
    with pytest.raises(FeedError) as caught:
        read_listings(path, parse_mapping(SMALL, "acme.yaml"), NOW)
    assert str(caught.value) == (
        f"{path}:1: no column 'sku' (is it 'SKU'?) for listing_id; 'name' for title, "
        "which the mapping 'acme.yaml' reads"
    )
    path.write_text("sku;shop;name\n1;a;b\n")
    with pytest.raises(FeedError, match="is ',' the delimiter"):
        read_listings(path, parse_mapping(SMALL, "acme.yaml"), NOW)
    path.write_text("")
    with pytest.raises(FeedError, match="empty"):
        read_listings(path, parse_mapping(SMALL, "acme.yaml"), NOW)


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-8-sig", ""), ("utf-16", ""), ("cp1252", "cp1252")]
)
def test_encodings(tmp_path: Path, encoding: str, declared: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("sku,shop,name\r\n1,a,Café\r\n".encode(encoding))
    mapping = parse_mapping(SMALL + (f"encoding: {declared}\n" if declared else ""), "m.yaml")
    (found,) = read_listings(path, mapping, NOW)
    assert isinstance(found, Listing)
    assert (found.listing_id, found.title) == ("acme:1", "Café")


def test_rows_that_break_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    huge = "x" * ((1 << 20) + 1)
    path.write_bytes(
        b'sku,shop,name\n1,a,"Vase,\nwide"\n2,a,Caf\xe9\n\n3,a\n4,a,'
        + huge.encode()
        + b'\n5,a,Jug\n6,a,"Open\n7,a,Jar\n'
    )
    found = list(read_listings(path, parse_mapping(SMALL, "m.yaml"), NOW))
    assert refusals(found) == [
        (4, "column 'name': not UTF-8; the mapping can name the file's `encoding`"),
        (6, "2 columns, where the header has 3"),
        (7, "column 'name': 1048577 characters, more than 1048576"),
        (9, "not CSV: unexpected end of data; a quote may not be closed"),
    ]
    assert [row.title for row in found if isinstance(row, Listing)] == ["Vase,\nwide", "Jug"]


def test_json_lines_with_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [{"sku": 1, "shop": "a", "name": "Vase", "tags": ["x", "y"]}, {"sku": 2}, ["no"]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    mapping = parse_mapping(SMALL + "  category_path: tags\n", "m.yaml")
    found = list(read_listings(path, mapping, NOW))
    assert isinstance(found[0], Listing)
    assert (found[0].listing_id, found[0].category_path) == ("acme:1", ("x", "y"))
    assert refusals(found) == [
        (2, "field 'seller_id': nothing in column 'shop', and it is required"),
        (3, "expected a JSON object"),
    ]


def test_json_lines_in_the_schemas_names(tmp_path: Path) -> None:
    row = {
        "listing_id": "a:1",
        "seller_id": "a:s",
        "occurred_at": "2025-02-01T00:00:00Z",
        "title": "Vase",
    }
    path = tmp_path / "rows.jsonl"
    lines = [row, {**row, "event_id": "mine"}, {**row, "title": ""}, {**row, "title": None}]
    path.write_text("\ufeff" + "\n\n".join(json.dumps(line) for line in lines))
    found = list(read_listings(path, None, NOW))
    made, own = (row.event_id for row in found if isinstance(row, Listing))
    assert uuid.UUID(made).version == 5
    assert own == "mine"
    assert refusals(found) == [
        (5, "field 'title': empty, and it is required"),
        (7, "field 'title': missing, and it is required"),
    ]


def test_csv_needs_a_mapping(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "rows.csv", [SHEIN])
    with pytest.raises(FeedError, match="give --mapping"):
        read_listings(path, None, NOW)


@pytest.mark.parametrize("name", ["lazada", "shopee", "shein"])
def test_the_real_files(name: str) -> None:
    folder = os.environ.get("ASSAYER_SHARED_DATA")
    if not folder:
        pytest.skip("ASSAYER_SHARED_DATA does not name the folder of the marketplace samples")
    path = Path(folder) / f"{name}-products.csv"
    mapping = load_mapping(name)
    found = list(read_listings(path, mapping, NOW))
    listings = [row for row in found if isinstance(row, Listing)]
    assert refusals(found) == []
    assert len(listings) == len({row.listing_id for row in listings}) == 600
    assert all(row.currency and row.category_path and row.images for row in listings)
    assert refusals(read_sellers(path, mapping)) == []
