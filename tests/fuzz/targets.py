"""What is fuzzed: valid inputs, how one is read, and what may be said of one that is wrong."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

NOW: Final = 1_764_000_000_000
ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLE: Final = ROOT / "agents" / "demo" / "sample"


@dataclass(frozen=True)
class Target:
    """A decoder or parser. `read` returns for whatever it is given; an exception is a finding."""

    seeds: Sequence[bytes]
    read: Callable[[bytes], object]
    words: Sequence[bytes] = ()


@cache
def _scratch() -> Path:
    """Return a folder for what is read from files; the parent removes it with its own."""
    return Path(tempfile.mkdtemp(prefix="assayer-fuzz-"))


def _lines(name: str, most: int = 20) -> list[bytes]:
    return (SAMPLE / name).read_bytes().splitlines()[:most]


def _json_words(*samples: str) -> list[bytes]:
    names = {name for sample in samples for line in _lines(sample) for name in json.loads(line)}
    signs = ("{", "}", "[", "]", ":", ",", "null", "true", "1e999", "-1", '"\\ud800"', "[" * 999)
    return [*(f'"{name}":'.encode() for name in names), *(sign.encode() for sign in signs)]


def _stored_batches() -> Target:
    """Batches as the broker sends them: `stored_batches.c`, the columns, codecs."""
    from aiokafka.errors import KafkaError

    from streams.columns import ColumnRecords
    from streams.stored_batches import FetchedBytes, StoredBatch
    from tests.unit.streams.stored import Batch, Sent, control

    records = [
        Sent(n, NOW + n, b"key" if n % 2 else None, b"v" * 40 if n % 3 else None, (("h", b"1"),))
        for n in range(4)
    ]
    seeds = [Batch(records, compression=n).stored() for n in range(2)]
    seeds += [Batch([]).stored(), control(7, 1, commit=False).stored(), seeds[0] + seeds[1]]

    def read(data: bytes) -> None:
        try:
            fetched = FetchedBytes(data)
            while (batch := fetched.next_batch()) is not None:
                batch.validate_crc()
                compressed = isinstance(batch, StoredBatch) and batch.attributes & 7
                if not isinstance(batch, StoredBatch) or compressed:
                    continue  # what aiokafka and the codecs read is read behind a checksum
                for record in ColumnRecords.of_pieces([batch.piece().cut_out()]):
                    _ = (record.key, record.value, record.offset, record.timestamp)
                    with contextlib.suppress(UnicodeDecodeError):
                        _ = list(record.headers)
        except KafkaError:
            return

    return Target(seeds, read)


def _listings() -> Target:
    """Values of the listings' topic: `projection.c`, `transcoding.c` and fastavro behind them."""
    import fastavro
    import msgspec

    import schemas
    from agents.monitoring.screening import listing_decoder, to_listings
    from agents.records import Listing, parse_lines
    from streams.codec import DecodeError
    from tests.unit.streams.shelf import Shelf, framed

    shelf = Shelf()
    decoder = listing_decoder(shelf.registry)
    number = shelf.put(schemas.load("listing"))
    plain = fastavro.parse_schema(schemas.without_docs(schemas.load("listing")))
    seeds = []
    for listing in parse_lines(_lines("listings.jsonl", 40), Listing, "sample"):
        assert isinstance(listing, Listing)
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, plain, msgspec.to_builtins(listing))
        seeds.append(framed(number, stream.getvalue()))
    decoder.fetch(decoder.unknown(seeds))
    whole = decoder.project(seeds[0])

    def read(value: bytes) -> None:
        found = decoder.project_all([seeds[0], value, seeds[0]])
        for place in (0, 2):  # what is beside a broken one is read as ever
            assert place not in found.refused
            fields = tuple(column[place] for column in found.fields)
            texts = (found.texts.of_record(place), found.items.of_record(place))
            assert (*fields, *texts) == whole
        first, _, last = to_listings(decoder, [seeds[0], value, seeds[0]])
        assert isinstance(first, Listing)
        assert first == last
        with contextlib.suppress(DecodeError):
            decoder.decode(value)

    return Target(seeds, read)


def _records() -> Target:
    """Values of every other topic, by the reader and the types that are made of them."""
    import schemas
    from agents.records import Review, Right, RowError, Sale, Seller, Takedown, from_mapping
    from streams import topics
    from streams.codec import DecodeError, Decoder
    from tests.unit.streams.shelf import Shelf, framed, written

    shelf = Shelf()
    samples: dict[str, dict[str, Any]] = {
        "right": json.loads(_lines("rights.jsonl")[0]),
        "seller": json.loads(_lines("sellers.jsonl")[0]),
        "sale": json.loads(_lines("sales.jsonl")[0]),
    }
    made: dict[str, Any] = {
        "right": Right,
        "seller": Seller,
        "sale": Sale,
        "takedown": Takedown,
        "review": Review,
    }
    decoders, seeds = {}, []
    for topic in topics.TOPICS:
        schema = schemas.load(topic.schema)
        number = shelf.put(schema)
        decoders[number] = topic.schema, Decoder(shelf.registry, topic.schema)
        sample = samples.get(topic.schema)
        record = _filled(schema, {}) if sample is None else _filled(schema, sample)
        seeds.append(framed(number, written(schema, record)))
    for value in seeds:
        for _, decoder in decoders.values():
            decoder.fetch(decoder.unknown([value]))

    def read(value: bytes) -> None:
        for number, (name, decoder) in decoders.items():
            if value[:5] != framed(number, b""):
                continue
            try:
                record = decoder.decode(value)
                if name in made:
                    from_mapping(record, made[name])
            except (DecodeError, RowError):
                continue

    return Target(seeds, read)


def _filled(schema: dict[str, Any], sample: dict[str, Any]) -> dict[str, Any]:
    """Return a record of a schema: what the sample has of simple fields, else something small."""
    return {
        field["name"]: _small(field["type"], sample.get(field["name"]))
        for field in schema["fields"]
    }


def _small(type_: Any, given: object = None) -> Any:
    if isinstance(type_, list):
        return None if "null" in type_ else _small(type_[0])
    kind = type_["type"] if isinstance(type_, dict) else type_
    if kind == "record":
        return _filled(type_, {})
    if kind == "enum":
        return type_["symbols"][0]
    if kind == "string" and isinstance(given, str):
        return given
    small = {"string": "text", "bytes": b"\x01", "int": 1, "long": NOW, "boolean": True}
    return {**small, "float": 0.5, "double": 0.5, "array": [], "map": {}, "null": None}[kind]


def _schemas() -> Target:
    """Schemas of anybody's in the registry, and values read by the programs made of them.

    As bytes hardly one in thirty is a schema that can be used: each input also chooses a variant of
    ours, and is a value of it.
    """
    import schemas
    from agents.monitoring.screening import listing_decoder, to_listings
    from tests.fuzz.schema_variants import varied
    from tests.unit.streams.shelf import Shelf, Stored, framed

    ours = schemas.without_docs(schemas.load("listing"))
    text = json.dumps(ours).encode()
    types = ("int", "long", "string", "bytes", "null", "boolean", "float", "double", "array")
    words = [f'"{name}"' for name in (*types, "map", "fixed", "enum", "record", "assayer.Listing")]
    words += ['"type":', '"items":', '"values":', '"size":', '"symbols":[]', '"fields":[]', "-1"]
    valid = [value[5:] for value in _listings().seeds[:10]]

    def read_with(written: str, body: bytes) -> None:
        decoder = listing_decoder(Shelf({1: Stored(written)}).registry)
        value = framed(1, body)
        decoder.fetch(decoder.unknown([value]))
        decoder.project_all([value, value])
        to_listings(decoder, [value])

    def read(data: bytes) -> None:
        read_with(data.decode("utf-8", "replace"), valid[0])
        read_with(json.dumps(varied(ours, zlib.crc32(data))), data)

    return Target([text, *valid], read, [word.encode() for word in words])


def _json_lines() -> Target:
    """Lines of listings, rights and sellers, as people write them."""
    from agents.alliance.rights_check import problems_of
    from agents.monitoring.feed.reader import read_listings
    from agents.records import Right, Seller, parse_lines

    path = _scratch() / "rows.jsonl"
    names = ("listings.jsonl", "rights.jsonl", "sellers.jsonl")

    def read(line: bytes) -> None:
        path.write_bytes(line)
        list(read_listings(path, None, NOW))
        lines = line.splitlines(keepends=True)
        list(parse_lines(lines, Seller, "rows"))
        for right in parse_lines(lines, Right, "rows"):
            if isinstance(right, Right):
                problems_of(right)

    return Target([line for name in names for line in _lines(name)], read, _json_words(*names))


def _csv() -> Target:
    """Exports of marketplaces, by the mappings that are shipped."""
    from agents.monitoring.feed.mapping import load_mapping
    from agents.monitoring.feed.reader import read_listings, read_sellers
    from agents.monitoring.feed.sources import FeedError

    mappings = {name: load_mapping(name) for name in ("lazada", "shein", "shopee")}
    cells = (
        "Zorvex watch",
        "12.50",
        "$1,299.00",
        "Rp 1.299.000",
        "2025-11-24",
        "https://x/1.jpg",
        "a > b",
    )
    seeds = []
    for number, (name, mapping) in enumerate(mappings.items()):
        columns = list(mapping.columns())
        rows = [",".join(f'"{column}"' for column in columns)]
        rows += [
            ",".join(f'"{cells[(n + row) % len(cells)]}"' for n in range(len(columns)))
            for row in range(3)
        ]
        seeds.append(bytes([number]) + "\r\n".join(rows).encode())
        assert name
    path = _scratch() / "rows.csv"
    chosen = list(mappings.values())

    def read(data: bytes) -> None:
        path.write_bytes(data[1:])
        mapping = chosen[data[0] % len(chosen) if data else 0]
        with contextlib.suppress(FeedError):
            list(read_listings(path, mapping, NOW))
            list(read_sellers(path, mapping))

    return Target(
        seeds, read, [b'"', b'""', b",", b";", b"\t", b"\x00", b"\r", b"1e400", "٣".encode()]
    )


def _policies() -> Target:
    """Policy files: YAML, conditions, quotas, everything that is said of what is wrong."""
    from agents.monitoring.policies import check_policy

    folder = ROOT / "tests" / "unit" / "monitoring" / "policies"
    seeds = [path.read_bytes() for path in sorted(folder.glob("*/*.yaml"))]
    words = (
        "and",
        "or",
        "not",
        "(",
        ")",
        "<",
        "* 0",
        "/ 0",
        "- ",
        ": ",
        "&a ",
        "*a",
        "!!x ",
        "{",
        "[",
        "|",
    )
    keys = (
        "rules:",
        "definitions:",
        "when:",
        "outcome:",
        "weight:",
        "quota:",
        "tests:",
        "breaker:",
    )

    def read(raw: bytes) -> None:
        for problem in check_policy(raw, "policy.yaml").problems:
            problem.shown()

    return Target(
        seeds, read, [word.encode() for word in (*words, *keys, "1e999", "mark", "9" * 400)]
    )


def _mappings() -> Target:
    """Mappings of feeds, as YAML."""
    from agents.monitoring.feed.mapping import parse_mapping
    from agents.monitoring.feed.sources import FeedError

    folder = ROOT / "agents" / "monitoring" / "feed" / "mappings"
    seeds = [path.read_bytes() for path in sorted(folder.glob("*.yaml"))]
    words = (
        "column:",
        "first:",
        "pattern: '('",
        "split:",
        "table:",
        "encoding: utf-7",
        "&a ",
        "*a",
        "[[[[",
    )

    def read(raw: bytes) -> None:
        with contextlib.suppress(FeedError):
            parse_mapping(raw.decode("utf-8", "replace"), "mapping.yaml")

    return Target(seeds, read, [word.encode() for word in words])


def _settings() -> Target:
    """`.env` files, through a command that reads the settings, with its exit codes."""
    from agents.cli import main
    from streams.settings import Settings, variables_of

    folder = _scratch()
    os.chdir(folder)  # where there is no .env yet
    given = variables_of(Settings())
    seeds = [f"{name}={value}\n".encode() for name, value in given.items()]
    seeds += [
        b"".join(seeds)[:2000],
        b'ASSAYER_TOPIC_PREFIX="a.${HOME}"\n',
        b"export ASSAYER_X='\n",
    ]
    names = [name.encode() for name in given]
    words = [
        *names,
        b"_FILE=",
        b"=",
        b"#",
        b'"',
        b"'",
        b"${",
        b"\\",
        b"-1",
        b"1e999",
        b"redis://@:",
    ]

    def read(text: bytes) -> None:
        (folder / ".env").write_bytes(text)
        _command(main, ["views", "acl"])

    return Target(seeds, read, words)


def _command(main: Callable[[list[str]], None], arguments: list[str]) -> None:
    told = io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
        try:
            main(arguments)
        except SystemExit as ended:
            code = ended.code
    assert code in (0, 1, 2), code
    assert "Traceback" not in told.getvalue()


def _command_line() -> Target:
    """Arguments, one a line: what they mean is found out, and nothing of it is done."""
    from cyclopts.exceptions import CycloptsError

    from agents.cli import COMMANDS, command_line

    lines = (
        "screen\nlistings.jsonl\n--rights\nrights.jsonl\n--now\n2025-01-01T00:00:00Z",
        "feed\nrows.csv\n--mapping\nlazada\n--rate\n100",
        "policy\npush\npolicy.yaml\n--candidate",
        "policy\nsnooze\nhidden-mark\n--seller\ns-1\n--until\n2026-01-01",
        "sweep\n--right\ntm-1\n--rate\n10",
        "topics\nacls\nworker\n--principal\nUser:x\n--json",
        "dead-letters\nreplay\n--since\n2025-01-01",
        "rights\nload\nrights.jsonl\n--confirm\ntm-1",
        "views\nrebuild\nstanding",
        "demo\n--listings\n10\n--json",
    )
    words = [f"\n{name}\n" for name, _, _ in COMMANDS]
    words += ["\n--", "\n-", "=", "\n--no-json", "\n--help", "1e999", "\n--json\n", "\n*", "\n[1"]

    def read(text: bytes) -> None:
        arguments = text.decode("utf-8", "surrogateescape").split("\n")
        app = command_line(arguments[0])
        # An OSError (a name that is too long) ends a command with one line as well.
        with (
            contextlib.suppress(CycloptsError, OSError),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            app.parse_args(arguments, exit_on_error=False, print_error=False)

    return Target([line.encode() for line in lines], read, [word.encode() for word in words])


def _texts() -> Target:
    """Titles and descriptions, through all that looks for marks and words: C, and what follows."""
    import msgspec

    from agents.records import Listing, parse_lines
    from tests.unit.monitoring.test_bounded_work import outcomes

    listings = list(parse_lines(_lines("listings.jsonl", 60), Listing, "sample"))
    seeds = [
        f"{each.title}\n{each.description}".encode()
        for each in listings
        if isinstance(each, Listing)
    ]
    first = listings[0]
    assert isinstance(first, Listing)
    words = (
        "Zorvex",
        "replica",
        "\u200b",
        "\u0301",
        "&#x5a;",
        "<b>",
        "1:1",
        "\u202e",
        "Z o r v e x",
        "正品",
        "|/",
    )

    def read(text: bytes) -> None:
        title, _, description = text.decode("utf-8", "replace").partition("\n")
        told = outcomes(msgspec.structs.replace(first, title=title, description=description))
        assert "judge_error" not in told, told

    return Target(seeds, read, [word.encode() for word in words])


TARGETS: Final[dict[str, tuple[Callable[[], Target], int]]] = {
    "stored-batches": (_stored_batches, 250),
    "listings": (_listings, 280),
    "records": (_records, 200),
    "schemas": (_schemas, 20),
    "json-lines": (_json_lines, 130),
    "csv": (_csv, 60),
    "policies": (_policies, 10),
    "mappings": (_mappings, 10),
    "settings": (_settings, 5),
    "command-line": (_command_line, 5),
    "texts": (_texts, 30),
}
"""Each target, and how many of a thousand inputs it is given."""


def target(name: str) -> Target:
    """Return a target by its name, made ready."""
    make, _ = TARGETS[name]
    return make()
