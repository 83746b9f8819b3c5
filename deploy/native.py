"""Builds the C of the project when it is installed: `x.c` becomes `_x.so` beside it.

The compiler is Zig's, which comes as a Python package: nothing has to be there beforehand. Loaded
by ctypes, the libraries know nothing of Python, so that one serves all its versions.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (
    "agents/monitoring/marks/patterns.c",
    "agents/monitoring/marks/sieve.c",
    "agents/monitoring/vocabulary/phrases.c",
    "streams/stored_batches.c",
    "streams/projection.c",
    "streams/transcoding.c",
)


class NativeBuildHook(BuildHookInterface):  # type: ignore[type-arg, misc, unused-ignore]
    """Hatch's hook: builds before the package is put together, for an editable install too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build every source, and have the libraries in the package."""
        if self.target_name == "sdist":
            return
        libraries = [build(Path(self.root, source)) for source in SOURCES]
        build_data["artifacts"] += [f"/{library.relative_to(self.root)}" for library in libraries]
        build_data["pure_python"] = False
        system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{system}"


def build(source: Path) -> Path:
    """Return the library of a C source, built for any processor of this kind.

    It takes the place of one that is in use in one step. Raises CalledProcessError.
    """
    library = source.with_name(f"_{source.stem}.so")
    fresh = library.with_name(f"{library.name}.{os.getpid()}")
    target = ("-target", f"{platform.machine()}-linux-gnu.2.17", "-mcpu=baseline")
    options = ("-O3", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
    try:
        subprocess.run(
            [sys.executable, "-m", "ziglang", "cc", *target, *options, "-o", fresh, source],
            check=True,
        )
        fresh.replace(library)
    finally:
        fresh.unlink(missing_ok=True)
    return library
