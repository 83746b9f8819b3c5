"""Arrays in a file that is used as it lies there, by many processes at once.

A file begins with a checksum of all that follows, and is written in one go: a reader sees all of it
or nothing, and never trusts one that is not what was written.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
import numpy.typing as npt

from streams.aside import give_way
from streams.packed import Flat

_MAGIC: Final = b"flat-1\r\n"
_DIGEST: Final = 32
_ALIGNED: Final = 64
_PIECE: Final = 1 << 18
"""Bytes that are hashed, or written, between two rests."""


class BrokenFileError(ValueError):
    """A file that is not what was written: cut off, or with other bytes."""


class _Place(msgspec.Struct, frozen=True):
    """Where an array lies behind the head of a file."""

    name: str
    type: str
    length: int
    start: int


def write_flat(path: Path, arrays: Flat) -> None:
    """Write arrays of one dimension to a file, in the place of one that is there.

    Raises OSError.
    """
    places, end = [], 0
    for name, each in arrays.items():
        places.append(_Place(name, each.dtype.str, len(each), end))
        end += -(-each.nbytes // _ALIGNED) * _ALIGNED
    head = msgspec.json.encode(places)
    room = -(-(len(_MAGIC) + _DIGEST + 8 + len(head)) // _ALIGNED) * _ALIGNED
    head = len(head).to_bytes(8, "little") + head.ljust(room - len(_MAGIC) - _DIGEST - 8)
    digest = hashlib.sha256()
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix="new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + bytes(_DIGEST))
            for piece in (head, *_pieces(arrays)):
                give_way()
                digest.update(piece)
                file.write(piece)
            file.seek(len(_MAGIC))
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _pieces(arrays: Flat) -> Iterator[bytes]:
    for each in arrays.values():
        data = np.ascontiguousarray(each).view(np.uint8)
        for first in range(0, len(data), _PIECE):
            yield data[first : first + _PIECE].tobytes()
        yield bytes(-len(data) % _ALIGNED)


def read_flat(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file, which lie in it: they take memory as far as they are used.

    Raises:
        OSError: the file can't be read.
        BrokenFileError: it is not what was written.
    """
    with path.open("rb") as file:
        _check(path, file)
        file.seek(len(_MAGIC) + _DIGEST)
        size = int.from_bytes(file.read(8), "little")
        places = msgspec.json.decode(file.read(size), type=list[_Place])
        behind = -(-file.tell() // _ALIGNED) * _ALIGNED
        data = np.memmap(file, np.uint8, "r")
    found = {}
    for place in places:
        type_ = np.dtype(place.type)
        start = behind + place.start
        # A plain array: numpy makes an object of each slice of a memmap, ten times as slow.
        found[place.name] = np.asarray(data)[start : start + place.length * type_.itemsize].view(
            type_
        )
    return found


def _check(path: Path, file: BinaryIO) -> None:
    start = file.read(len(_MAGIC) + _DIGEST)
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        give_way()
        digest.update(piece)
    if start != _MAGIC + digest.digest():
        raise BrokenFileError(f"{path} is not what was written")
