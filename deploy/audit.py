"""`python -m deploy.audit`: what is installed beside us, by which licences, with which holes.

Writes the bill of materials (CycloneDX) to `dist/sbom.json`. What could not be looked up is said to
be not audited, and is never taken for sound.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
ALLOWED: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"),
        *("MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
        "LicenseRef-Repoze",  # of the BSD kind
    }
)
"""SPDX licences of packages that we install unaltered beside our own, under Apache-2.0."""
_LEGACY: Final = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""Classifiers of packages from before licence expressions."""
READ: Final = {
    "venusian": "LicenseRef-Repoze",
    "uvloop": "MIT OR Apache-2.0",  # as its two licence files say
}
"""Licences that a person has read, where a package's metadata does not say them."""
NO, UNREACHABLE = 1, 3


class AuditError(RuntimeError):
    """The audit itself can't be done."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the database of vulnerabilities says: `found`, or why it says nothing."""

    found: tuple[str, ...] = ()
    not_audited: str = ""
    packages: int = 0


def main(arguments: list[str] | None = None) -> int:
    """Audit, and say so; return 1 when something is wrong, 3 when `--strict` and not audited."""
    parser = argparse.ArgumentParser(prog="python -m deploy.audit")
    parser.add_argument("--strict", action="store_true", help="3 where nothing could be looked up")
    strict = parser.parse_args(arguments).strict
    bill = bill_of_materials()
    licences = {name: licence_of(name) for name in packages_of(bill)}
    refused = refused_licences(licences)
    path = write_bill(bill, licences)
    looked = vulnerabilities()
    say = sys.stdout.write
    say(f"bill of materials: {len(licences)} packages, CycloneDX, in {path.relative_to(ROOT)}\n")
    say(f"licences: {_verdict(refused, f'all of {len(licences)} packages are allowed')}\n")
    if looked.not_audited:
        say(f"vulnerabilities: NOT AUDITED: {looked.not_audited}\n")
    else:
        say(f"vulnerabilities: {_verdict(looked.found, f'none in {looked.packages} packages')}\n")
    if refused or looked.found:
        return NO
    return UNREACHABLE if strict and looked.not_audited else 0


def _verdict(wrong: Iterable[str], sound: str) -> str:
    return "".join(f"\n  {line}" for line in wrong) or sound


def bill_of_materials() -> dict[str, Any]:
    """Return the bill of the packages that a worker runs with, out of the lock file."""
    done = _uv("export", "--frozen", "--no-dev", "--quiet", "--format", "cyclonedx1.5")
    if done.returncode != 0:
        raise AuditError(f"the bill of materials can't be made: {done.stderr.strip()}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def packages_of(bill: Mapping[str, Any]) -> list[str]:
    """Return the names of the packages of a bill that are installed on this platform."""
    names = {component["name"] for component in bill["components"]}
    return sorted(name for name in names if _metadata(name) is not None)


def licence_of(name: str) -> str:
    """Return a package's licence as an SPDX expression; empty when it does not say one we know."""
    if name in READ:
        return READ[name]
    metadata = _metadata(name)
    if metadata is None:
        return ""
    said = metadata.get("License-Expression") or metadata.get("License") or ""
    if _operands(said) and all(one in ALLOWED for one in _operands(said)):
        return said
    classifiers = metadata.get_all("Classifier") or []
    kinds = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License")]
    known = [_LEGACY[kind] for kind in kinds if kind in _LEGACY]
    if len(known) == len(kinds) and known:
        return " AND ".join(sorted(set(known)))
    return said.splitlines()[0] if said else ""


def refused_licences(licences: Mapping[str, str]) -> list[str]:
    """Return a line for each package whose licence is not known to be allowed."""
    return [
        f"{name}: {licence or 'says no licence'}; read it, then add it to deploy/audit.py"
        for name, licence in sorted(licences.items())
        if not allows(licence)
    ]


def allows(expression: str) -> bool:
    """Return whether we may use what stands under an SPDX expression: of an OR, one is enough."""
    wanted = [_operands(part) for part in re.split(r"\s+OR\s+", expression.strip(" ()"))]
    return any(part and all(one in ALLOWED for one in part) for part in wanted)


def _operands(expression: str) -> list[str]:
    words = re.split(r"\s+(?:AND|OR)\s+", expression.replace("(", " ").replace(")", " "))
    return [word.strip() for word in words if word.strip()]


def write_bill(bill: dict[str, Any], licences: Mapping[str, str]) -> Path:
    """Write the bill with licences beside the packages; return where."""
    for component in bill["components"]:
        licence = licences.get(component["name"])
        if licence:
            component["licenses"] = [{"expression": licence}]
    path = ROOT / "dist" / "sbom.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(bill, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return path


def vulnerabilities(service: str = "") -> Looked:
    """Look every package of the lock file up in OSV's database, or in the one at `service`."""
    where = ("--service-url", service) if service else ()
    done = _uv(
        *("audit", "--frozen", "--output-format", "json", *where),
        *("--preview-features", "audit-command,json-output"),
        UV_HTTP_RETRIES="1",
        UV_HTTP_TIMEOUT="10",
    )
    try:
        report = json.loads(done.stdout)
        problems = [*report["vulnerabilities"], *report["adverse_statuses"]]
        found = tuple(sorted(map(_line, problems)))
        return Looked(found, packages=report["summary"]["audited_packages"])
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines()
        cause = lines[-1].strip().removeprefix("cause: ") if lines else "no answer"
        return Looked(
            not_audited=f"the database can't be asked ({cause}); where it can: make audit"
        )


def _line(problem: Mapping[str, Any]) -> str:
    package = problem["dependency"]
    fix = ", ".join(problem.get("fix_versions") or ()) or "none yet"
    said = problem.get("summary") or problem.get("status") or ""
    return (
        f"{package['name']} {package['version']}: {problem.get('id', '')} {said} (fixed in: {fix})"
    )


def _metadata(name: str) -> Any:
    try:
        return importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _uv(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    ours = ROOT / ".venv-tools" / "bin" / "uv"
    uv = str(ours) if ours.exists() else shutil.which("uv")
    if uv is None:
        raise AuditError("uv is missing; make install brings it")
    return subprocess.run(
        [uv, *arguments],
        cwd=ROOT,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
