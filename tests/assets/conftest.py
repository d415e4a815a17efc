"""What the asset tests share: the folders, free ports, and processes that end with the test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def tool(name: str) -> str:
    """A program that a test needs. Missing is a failure, never a skip."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: run ci/assets.sh, which gets it", pytrace=False)
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait(what: str, ready: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            pytest.fail(f"{what} was not so within {seconds} s")
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


class Processes:
    """Starts processes; ends them all, and shows what they wrote when the test failed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, *command: str, **environment: str) -> Path:
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            self.all.append(
                subprocess.Popen(
                    command, stdout=out, stderr=out, env=os.environ | environment, cwd=self.folder
                )
            )
        return log

    def stop(self) -> None:
        for process in reversed(self.all):
            process.terminate()
        for process in self.all:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        for log in sorted(self.folder.glob("*.log")):
            sys.stdout.write(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}\n")
        self.all.clear()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    started = Processes(tmp_path_factory.mktemp("processes"))
    yield started
    started.stop()


def start_app(processes: Processes, name: str = "app") -> int:
    """The real app in a process of its own; returns its port."""
    port = free_port()
    processes.start(
        name,
        sys.executable,
        "-m",
        "devops_app",
        PYTHONPATH=str(ROOT / "app/src"),
        APP_HOST="127.0.0.1",
        APP_PORT=str(port),
    )
    wait("the app", lambda: answers(f"http://127.0.0.1:{port}/health/ready"))
    return port
