"""PDQ: the perceptual hash of a picture, 256 bits and a quality.

After 'The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm' (Facebook 2019)
and its reference implementation, with which it agrees within the authors' bounds: a luminance
picture is blurred by two passes of a box each way, reduced to 64 x 64, put through a discrete
cosine transform of which the 16 x 16 lowest frequencies but the constant ones are kept, and each of
those gives one bit: whether it lies above their median.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""Rows of pixels, each red, green and blue: shape (height, width, 3)."""

_SIDE: Final = 64
_KEPT: Final = 16
_MIN_SIDE: Final = 5
"""Pictures smaller than this have no hash, says the reference: zero bits, quality 0."""
_ROWS_AT_ONCE: Final = 256

_COSINES: Final[NDArray[np.float32]] = (
    np.sqrt(2 / _SIDE)
    * np.cos(np.pi / (2 * _SIDE) * np.outer(np.arange(1, _KEPT + 1), 2 * np.arange(_SIDE) + 1))
).astype(np.float32)


class PictureError(ValueError):
    """A file that is no picture, or one that can't be hashed."""


@dataclass(frozen=True, slots=True)
class Pdq:
    """A PDQ hash: 64 hexadecimal digits, and its quality, 0 to 100."""

    hash: str
    quality: int


def hash_file(path: Path) -> Pdq:
    """Return the hash of a picture in any format Pillow reads; of an animation, its first frame.

    Raises:
        PictureError: not a picture, a broken one, or one of more than 89 million pixels.
        OSError: the file can't be read.
    """
    from PIL import Image, UnidentifiedImageError

    raw = path.open("rb")
    with raw:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(raw) as picture:
                    pixels = np.asarray(picture.convert("RGB"))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PictureError("too many pixels to be a picture of goods") from None
        except UnidentifiedImageError:
            raise PictureError("not a picture in a format that is known") from None
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
            # What Pillow's decoders raise for a picture that breaks off or contradicts itself.
            raise PictureError(f"a broken picture: {error}") from None
    return hash_pixels(pixels)


def hash_pixels(pixels: Pixels) -> Pdq:
    """Return the hash of a picture."""
    height, width = pixels.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return Pdq("0" * 64, 0)
    small = _reduced(pixels)
    frequencies = _COSINES @ small @ _COSINES.T
    # The lower of the two middle values, which the reference takes for the median.
    median = np.partition(frequencies.reshape(-1), 127)[127]
    bits = (frequencies > median).reshape(-1)
    # Bit 255 comes first in the text.
    return Pdq(np.packbits(bits[::-1]).tobytes().hex(), _quality(small))


def _luminance(pixels: Pixels) -> NDArray[np.float32]:
    red, green, blue = (pixels[..., channel].astype(np.float32) for channel in range(3))
    luminance: NDArray[np.float32] = (
        red * np.float32(0.299) + green * np.float32(0.587) + blue * np.float32(0.114)
    )
    return luminance


def _reduced(pixels: Pixels) -> NDArray[np.float32]:
    """Return the luminance blurred and reduced to 64 x 64.

    Blurring and picking pixels are linear and the same for every row and every column: one product
    of matrices from each side, instead of four passes over the picture. Eight megapixels take 0.1 s
    instead of a second.
    """
    height, width = pixels.shape[:2]
    if (height, width) == (_SIDE, _SIDE):
        return _luminance(pixels)
    down, across = _reduction(height), _reduction(width)
    small = np.zeros((_SIDE, _SIDE), np.float32)
    for first in range(0, height, _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        small += down[:, rows] @ (_luminance(pixels[rows]) @ across.T)
    return small


@lru_cache(maxsize=64)
def _reduction(length: int) -> NDArray[np.float32]:
    """Return the weights, 64 x length, with which pixels of a row or column enter the small one.

    A moving average over a 128th of the length, cut at the ends, taken twice; then 64 places.
    """
    window = (length + 2 * _SIDE - 1) // (2 * _SIDE)
    ahead = (window + 2) // 2 - 1
    behind = window - 1 - ahead
    first = np.maximum(np.arange(length) - behind, 0)
    end = np.minimum(np.arange(length) + ahead, length - 1) + 1
    places = ((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(np.int64)
    weights = np.zeros((_SIDE, length))
    for row, place in zip(weights, places, strict=True):
        for middle in range(first[place], end[place]):
            share = (end[middle] - first[middle]) * (end[place] - first[place])
            row[first[middle] : end[middle]] += 1 / share
    return weights.astype(np.float32)


def _quality(small: NDArray[np.float32]) -> int:
    """Return how much there is to see: the sum of steps between neighbours, in whole percents."""
    steps = sum(
        int(np.abs(np.trunc(np.diff(small, axis=axis) * 100 / 255)).sum()) for axis in (0, 1)
    )
    return min(100, steps // 90)
