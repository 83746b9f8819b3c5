"""Gets Kafka and the schema registry through Maven, once, into the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.services.process import ServiceError

KAFKA_VERSION: Final = "4.3.1"
KAFKA_LOG_VERSION: Final = "2.25.4"
REGISTRY_VERSION: Final = "2.6.13.Final"  # later ones need Java 21
REGISTRY_ARTIFACT: Final = f"io.apicurio:apicurio-registry-app:{REGISTRY_VERSION}:tar.gz:all"
DEBIAN_PACKAGES: Final = {
    "java": "openjdk-17-jre-headless",
    "mvn": "maven",
    "redis-server": "redis-server",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
}


def cache_folder() -> Path:
    """Return where downloads are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "assayer"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def kafka_libraries() -> Path:
    """Return the folder of Kafka's jars, downloaded when absent."""
    return maven_libraries(f"kafka-{KAFKA_VERSION}", Path(__file__).with_name("pom.xml"))


def kafka_log_libraries() -> Path:
    """Return the folder of the jars that let Kafka log, downloaded when absent."""
    return maven_libraries(
        f"kafka-log-{KAFKA_LOG_VERSION}", Path(__file__).with_name("log-pom.xml")
    )


def maven_libraries(name: str, pom: Path) -> Path:
    """Return the folder whose `libs` are the jars that a pom asks for, downloaded when absent.

    `name` is the folder's in the cache: another pom needs another. Raises ServiceError.
    """
    return _once(name, lambda folder: _download_jars(folder, pom))


def registry_home() -> Path:
    """Return the folder of the schema registry, downloaded when absent."""
    return _once(f"apicurio-{REGISTRY_VERSION}", _download_registry)


def install_packages() -> None:
    """Install the Debian packages that are missing; raises ServiceError when that takes root."""
    missing = sorted(
        package for binary, package in DEBIAN_PACKAGES.items() if shutil.which(binary) is None
    )
    if not missing:
        return
    command = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ServiceError(f"missing: {', '.join(missing)}; as root: {command}")
    sys.stderr.write(f"installing {', '.join(missing)}\n")
    # The packages would start system-wide daemons; a policy of 101 forbids that.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", *missing],
        ):
            subprocess.run(
                ["apt-get", *step], env=environment, check=True, stdout=subprocess.DEVNULL
            )
    finally:
        if ours:
            policy.unlink()


def _once(name: str, download: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, made whole or not at all, by one process at a time."""
    folder = cache_folder() / name
    if folder.exists():
        return folder
    with _lock(name):
        if not folder.exists():
            sys.stderr.write(f"downloading {name}, once\n")
            part = Path(tempfile.mkdtemp(prefix=f"{name}.part-", dir=cache_folder()))
            try:
                download(part)
                part.rename(folder)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
    return folder


@contextmanager
def _lock(name: str) -> Iterator[None]:
    with (cache_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _maven(*arguments: str, cwd: Path) -> None:
    if shutil.which("mvn") is None:
        raise ServiceError("Maven is missing; as root: apt-get install maven")
    done = subprocess.run(
        ["mvn", "-q", "-B", *arguments], cwd=cwd, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ServiceError(f"mvn {arguments[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _download_jars(folder: Path, pom: Path) -> None:
    shutil.copy(pom, folder / "pom.xml")
    _maven(
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={folder / 'libs'}",
        cwd=folder,
    )


def _download_registry(folder: Path) -> None:
    _maven(
        "dependency:copy",
        f"-Dartifact={REGISTRY_ARTIFACT}",
        f"-DoutputDirectory={folder}",
        cwd=folder,
    )
    archive = next(folder.glob("*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
