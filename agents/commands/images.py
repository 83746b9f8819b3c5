"""`assayer images`: hashes of pictures, as rights hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from agents.commands.console import (
    WRONG,
    CommandError,
    Json,
    complain,
    emit,
    leave,
    progress,
    say,
)

app = App(
    name="images",
    help="Pictures of goods: their PDQ hashes, as rights hold them.",
    help_epilogue="Example: assayer images hash fake-1.jpg fake-2.png",
)


@app.command(name="hash")
def hash_(
    *files: Path,
    array: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Hash pictures with PDQ, for a right's `image_hashes` or `official_image_hashes`.

    One line a picture: hash, quality from 0 to 100, file. A picture of a quality below 50 shows too
    little to be recognised again; it is said on stderr. A file that is missing or no picture is
    refused, the others are hashed, and the command ends with exit 2.

    Example: assayer images hash fake-1.jpg fake-2.png --array

    Parameters
    ----------
    files
        Pictures: JPEG, PNG, WebP, GIF and what else Pillow reads.
    array
        Print one JSON array of the hashes of quality 50 or more, to be pasted into a right.
    json
        Report as JSON lines in the names of a listing's `images`.
    """
    from agents.monitoring.images.pdq import PictureError, hash_file
    from agents.pdq import MIN_QUALITY

    if not files:
        raise CommandError("say which pictures; see: assayer images hash --help")
    usable: list[str] = []
    refused = 0
    with progress("hashing", len(files)) as advance:
        for path in files:
            advance(1)
            try:
                found = hash_file(path)
            except (PictureError, OSError) as error:
                reason = error.strerror if isinstance(error, OSError) else error
                complain(f"refused {path}: {reason}")
                refused += 1
                continue
            if found.quality < MIN_QUALITY:
                complain(
                    f"{path}: quality {found.quality}: too little to see; below {MIN_QUALITY} a "
                    "picture is not compared"
                )
            else:
                usable.append(found.hash)
            if json:
                emit({"file": str(path), "pdq": found.hash, "pdq_quality": found.quality})
            elif not array:
                say(f"{found.hash} {found.quality:3} {path}")
    if array:
        emit(list(dict.fromkeys(usable)))
    if refused:
        leave(WRONG)
