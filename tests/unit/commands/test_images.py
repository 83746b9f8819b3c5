"""`assayer images hash` and `assayer screen`, as they are called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.cli import main


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    small = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(small).resize((800, 600), Image.Resampling.BICUBIC).save(path)
    return path


def test_hashes_pictures(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    code, out, err = called(capsys, "images", "hash", photo)
    assert (code, err) == (0, "")
    hash_, quality, name = out.split()
    assert len(hash_) == 64
    assert int(quality) >= 50
    assert name == str(photo)
    code, out, _ = called(capsys, "images", "hash", photo, "--json")
    assert json.loads(out) == {"file": str(photo), "pdq": hash_, "pdq_quality": int(quality)}
    blank = photo.with_name("blank.png")
    Image.new("RGB", (100, 100)).save(blank)
    code, out, err = called(capsys, "images", "hash", photo, blank, "--array")
    assert code == 0
    assert json.loads(out) == [hash_]
    assert "blank.png: quality 0" in err


def test_refuses_what_is_no_picture(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    code, out, err = called(capsys, "images", "hash", text, photo)
    assert code == 2
    assert len(out.splitlines()) == 1
    assert err == f"refused {text}: not a picture in a format that is known\n"
    missing = tmp_path / "missing.jpg"
    code, out, err = called(capsys, "images", "hash", photo, missing, tmp_path, photo)
    assert (code, len(out.splitlines())) == (2, 2)
    assert err.splitlines() == [
        f"refused {missing}: No such file or directory",
        f"refused {tmp_path}: Is a directory",
    ]
    code, _, err = called(capsys, "images", "hash")
    assert (code, len(err.splitlines())) == (2, 1)


def test_a_registered_picture_is_found_again_by_screen(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    """From a rights holder's file to a verdict: hash, register, compress the picture, screen."""
    array = json.loads(called(capsys, "images", "hash", photo, "--array")[1])
    rights = tmp_path / "rights.jsonl"
    rights.write_text(
        json.dumps(
            {
                "right_id": "d-1",
                "kind": "DESIGN",
                "owner": "Pobble Ltd",
                "image_hashes": array,
                "reference_price_minor": 10_000,
                "reference_currency": "EUR",
            }
        )
    )
    again = tmp_path / "again.jpg"
    Image.open(photo).resize((400, 300)).save(again, quality=40)
    picture = json.loads(called(capsys, "images", "hash", again, "--json")[1])
    image = {"url": "https://pictures.example/1.jpg", **picture}
    base = {"seller_id": "s", "occurred_at": "2026-03-01T00:00:00Z", "currency": "EUR",
            "condition": "NEW", "price_minor": 9_000, "title": "Shoes"}  # fmt: skip
    rows = [
        {**base, "listing_id": "alone", "images": [image]},
        {**base, "listing_id": "cheap", "images": [image], "price_minor": 3_000},
        {**base, "listing_id": "words", "images": [image], "title": "Shoes, AAA quality replica"},
        {**base, "listing_id": "blurred", "images": [{**image, "pdq_quality": 49}]},
        {**base, "listing_id": "broken", "images": [{**image, "pdq": "zz"}]},
        {**base, "listing_id": "none"},
    ]
    listings = tmp_path / "listings.jsonl"
    listings.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sellers = tmp_path / "sellers.jsonl"
    sellers.write_text('{"seller_id": "s", "created_at": "2020-01-01T00:00:00Z", "verified": true}')
    command = ("screen", listings, "--rights", rights, "--sellers", sellers, "--now", "2026-03-01")
    code, out, err = called(capsys, *command)
    assert (code, err) == (0, "")
    verdicts = [json.loads(line) for line in out.splitlines()]
    assert {verdict["listing_id"]: verdict["outcome"] for verdict in verdicts} == {
        "alone": "review",
        "cheap": "remove",
        "words": "remove",
        "blurred": "allow",
        "broken": "allow",
        "none": "allow",
    }
    assert verdicts[0]["rules"] == ["known-image"]
    assert verdicts[0]["evidence"][0]["signal"] == "image_known"
    assert called(capsys, *command)[1] == out
