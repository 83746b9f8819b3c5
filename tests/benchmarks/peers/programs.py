"""The peers: what each does and leaves out, and the command that runs it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from deploy.services.downloads import cache_folder, maven_libraries
from deploy.services.process import ServiceError

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
STREAMS: Final = HERE / "kafka_streams"
_UV: Final = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1"}
"""As the Makefile has it."""


class MissingPeerError(Exception):
    """A peer that can't be run here: says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A contestant beside ours."""

    name: str
    way: str
    command: Callable[[], list[str]]
    """Returns the command line, less the job; installs what it needs. Raises MissingPeerError."""
    does: str
    """What it does with a listing, and what it leaves out, beside ours."""
    goal: float | None = None
    """How many times its listings a second ours is to handle."""
    share: float = 1.0
    """The share of the listings that it gets; the slow ones get fewer."""


def with_our_packages(module: str) -> Callable[[], list[str]]:
    """Return the command of a peer that is made of packages that ours has too."""
    return lambda: [sys.executable, "-m", f"tests.benchmarks.peers.{module}"]


def with_packages(name: str, module: str) -> Callable[[], list[str]]:
    """Return the command of a peer whose packages ours has not.

    They are installed as the lock of `environments/<name>` says, into the user's cache.
    """

    def command() -> list[str]:
        project = HERE / "environments" / name
        lock = sha256((project / "uv.lock").read_bytes()).hexdigest()[:12]
        python = f"{sys.implementation.cache_tag}-{lock}"
        folder = cache_folder() / f"peer-{name}-{python}"
        uv = shutil.which("uv", path=f"{ROOT / '.venv-tools' / 'bin'}:{os.environ.get('PATH', '')}")
        if uv is None:
            raise MissingPeerError("uv is missing; `make install` brings it")
        done = subprocess.run(
            [uv, "sync", "--quiet", "--frozen", "--python", sys.executable],
            cwd=project,
            env={**_UV, **os.environ, "UV_PROJECT_ENVIRONMENT": str(folder)},
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise MissingPeerError(f"its packages can't be installed: {_last_line(done.stderr)}")
        return [str(folder / "bin" / "python"), "-m", f"tests.benchmarks.peers.{module}"]

    return command


def kcat() -> list[str]:
    """Return the command of the peer that runs kcat."""
    if shutil.which("kcat") is None:
        raise MissingPeerError("kcat is missing; as root: apt-get install kcat")
    return [sys.executable, "-m", "tests.benchmarks.peers.kcat"]


def kafka_streams() -> list[str]:
    """Return the command of the peer in Java, compiled, with its libraries from Maven."""
    if shutil.which("javac") is None:
        raise MissingPeerError("javac is missing; as root: apt-get install openjdk-17-jdk-headless")
    pom = STREAMS / "pom.xml"
    try:
        folder = maven_libraries(f"kafka-streams-{sha256(pom.read_bytes()).hexdigest()[:12]}", pom)
    except ServiceError as error:
        raise MissingPeerError(f"its libraries can't be had: {_last_line(str(error))}") from error
    libraries = f"{folder / 'libs'}/*"
    classes = tempfile.mkdtemp(prefix="assayer-peer-")
    atexit.register(shutil.rmtree, classes, ignore_errors=True)
    subprocess.run(
        ["javac", "-d", classes, "-cp", libraries, STREAMS / "StreamsPeer.java"], check=True
    )
    return ["java", "-Xmx1g", "-cp", f"{classes}:{libraries}", "StreamsPeer"]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"


RAW: Final = Peer(
    "raw confluent-kafka, scan",
    "scan",
    with_our_packages("raw_confluent"),
    "`consume(1000)`, Hyperscan over the raw value, fastavro of what names a mark; no record is "
    "written, no offset committed",
    goal=0.7,
)
"""What ours is compared with under other conditions too."""

_FRAMEWORK: Final = "a JSON record for what names a mark and is cheap"

PEERS: Final = (
    Peer(
        "kcat",
        "consume only",
        kcat,
        "consumes in C and prints nothing; a run that finds nothing is taken off",
    ),
    Peer(
        "raw confluent-kafka",
        "consume only",
        with_our_packages("raw_confluent"),
        "`consume(1000)`, and nothing else",
    ),
    RAW,
    Peer(
        "raw aiokafka",
        "consume only",
        with_our_packages("raw_aiokafka"),
        "`getmany(max_records=1000)` on uvloop, and nothing else",
    ),
    Peer(
        "raw aiokafka, scan",
        "scan",
        with_our_packages("raw_aiokafka"),
        "the same, Hyperscan over the raw value, fastavro of what names a mark; no record is "
        "written, no offset committed",
    ),
    Peer(
        "Kafka Streams, decoding first",
        "decode first",
        kafka_streams,
        "Java: Avro's `GenericDatumReader` for every listing, a double-array Aho-Corasick over its "
        f"lower-cased texts, {_FRAMEWORK}; one stream thread, commits every 30 s, the third pass "
        "over the topic, when its code is compiled",
        goal=1.6,
    ),
    Peer(
        "Bytewax, scan",
        "scan",
        with_packages("bytewax", "bytewax_flow"),
        "a flow from `KafkaSource` to `KafkaSink`, batches of 1000, `flat_map_batch`: Hyperscan "
        f"over the raw value, fastavro of what names a mark, {_FRAMEWORK}; no recovery",
    ),
    Peer(
        "Bytewax, decoding first",
        "decode first",
        with_packages("bytewax", "bytewax_flow"),
        "the same behind `deserialize_value` with confluent-kafka's `AvroDeserializer`",
        goal=2.4,
    ),
    Peer(
        "Quix Streams, scan",
        "scan",
        with_packages("quix", "quix"),
        "a dataframe, `apply`, `filter`, `to_topic`: Hyperscan over the raw value, fastavro of "
        f"what names a mark, {_FRAMEWORK}; commits every 5 s",
    ),
    Peer(
        "Quix Streams, decoding first",
        "decode first",
        with_packages("quix", "quix"),
        "the same over a topic with its `AvroDeserializer` and the registry",
        goal=4.0,
    ),
    Peer(
        "plain Faust, scan",
        "scan",
        with_our_packages("plain_faust"),
        "an agent on Faust's own transport, `async for`: Hyperscan over the raw value, fastavro of "
        f"what names a mark, {_FRAMEWORK}; commits every 2.8 s",
        goal=15.0,
        share=0.2,
    ),
    Peer(
        "plain Faust, decoding first",
        "decode first",
        with_our_packages("plain_faust"),
        "the same, with fastavro for every listing",
        share=0.2,
    ),
)
