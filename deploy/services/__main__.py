"""`python -m deploy.services setup|up|down`: downloads, and servers for trying out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from deploy.services import Kafka, Redis, SchemaRegistryServer, Service, ServiceError
from deploy.services.downloads import (
    cache_folder,
    install_packages,
    kafka_libraries,
    kafka_log_libraries,
    registry_home,
)


def main(arguments: list[str]) -> int:
    """Run one of the three commands."""
    commands = {"setup": setup, "up": up, "down": down}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write("usage: python -m deploy.services setup|up|down\n")
        return 2
    try:
        commands[arguments[0]]()
    except ServiceError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


def setup() -> None:
    """Install and download what the servers need."""
    install_packages()
    kafka_libraries()
    kafka_log_libraries()
    registry_home()


def up() -> None:
    """Start Kafka, registry and Redis, and print the settings that lead to them."""
    state = _state()
    if state is None:
        setup()
        services: list[Service] = []
        try:
            kafka = Kafka(detached=True)
            registry = SchemaRegistryServer(detached=True)
            redis = Redis(detached=True)
            wanted: tuple[Service, ...] = (kafka, registry, redis)
            for service in wanted:
                sys.stderr.write(f"starting {service.name}\n")
                services.append(service)
                service.start()
        except BaseException:
            for service in services:
                service.close()
            raise
        state = {
            "settings": {
                "ASSAYER_KAFKA_BOOTSTRAP": kafka.bootstrap,
                "ASSAYER_SCHEMA_REGISTRY_URL": registry.url,
                "ASSAYER_REDIS_URL": redis.url,
            },
            "processes": {str(service.pid): str(service.folder) for service in services},
        }
        _state_file().write_text(json.dumps(state))
    for name, value in state["settings"].items():
        sys.stdout.write(f"export {name}={value}\n")


def down() -> None:
    """Stop what `up` has started, and nothing else."""
    state = _state()
    if state is None:
        sys.stderr.write("no services of this checkout run\n")
        _state_file().unlink(missing_ok=True)
        return
    for pid, folder in state["processes"].items():
        if _is_ours(int(pid), folder):
            os.kill(int(pid), signal.SIGTERM)
            _wait_for_end(int(pid), folder)
        shutil.rmtree(folder, ignore_errors=True)
    _state_file().unlink(missing_ok=True)
    sys.stderr.write("services stopped\n")


def _state_file() -> Path:
    checkout = hashlib.sha256(str(Path(__file__).resolve()).encode()).hexdigest()[:12]
    return cache_folder() / f"services-{checkout}.json"


def _state() -> dict[str, dict[str, str]] | None:
    """Return what runs, or None when anything of it does not (what is left of it is ended)."""
    try:
        state: dict[str, dict[str, str]] = json.loads(_state_file().read_text())
    except (OSError, ValueError):
        return None
    processes = state["processes"].items()
    if all(_is_ours(int(pid), folder) for pid, folder in processes):
        return state
    for pid, folder in processes:
        if _is_ours(int(pid), folder):
            os.kill(int(pid), signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    return None


def _is_ours(pid: int, folder: str) -> bool:
    """Return whether the process works in its folder: a pid may be another's by now."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve() == Path(folder).resolve()
    except OSError:
        return False


def _wait_for_end(pid: int, folder: str) -> None:
    deadline = time.monotonic() + 15
    while _is_ours(pid, folder):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
