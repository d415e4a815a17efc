"""A real process: how it starts, stops and logs."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

SOURCES = Path(__file__).parent.parent / "src"
SLOW = """
import asyncio
from devops_app import logs, server
from devops_app.main import create_app
from devops_app.settings import Settings
settings = Settings.read()
logs.configure(settings.log_level)
app = create_app(settings)
@app.get("/slow")
async def slow():
    await asyncio.sleep(0.7)
    return "done"
server.build(settings, app).run()
"""


@pytest.fixture
def start():
    started = []

    def begin(script="from devops_app.server import run; run()", **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = os.environ | {
            "PYTHONPATH": str(SOURCES),
            "APP_PORT": str(port),
            "APP_HOST": "127.0.0.1",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            env=environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        base = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 20
        while True:
            try:
                if httpx.get(base + "/health/ready").status_code == 200:
                    return process, base
            except httpx.TransportError:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < end
                time.sleep(0.02)

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def finish(process):
    out, err = process.communicate(timeout=10)
    return [json.loads(line) for line in out.splitlines()], err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_with_0(start, number):
    process, base = start()
    with httpx.Client() as client:  # a connection that is kept open does not hold it
        client.get(base)
        begun = time.monotonic()
        process.send_signal(number)
        lines, err = finish(process)
        assert time.monotonic() - begun < 2
    assert process.returncode == 0
    assert err == ""
    assert lines[-1]["message"] == "stopped"
    accesses = [line for line in lines if "GET" in json.dumps(line) and line.get("route") == "/"]
    assert len(accesses) == 1, "one access line, not uvicorn's as well"


def test_what_is_in_flight_ends_well(start):
    process, base = start(SLOW)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(httpx.get(base + "/slow")))
    thread.start()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    thread.join()
    finish(process)
    assert answers[0].json() == "done"
    assert process.returncode == 0


def test_readiness_goes_first_while_it_drains(start):
    process, base = start(APP_DRAIN_SECONDS="1")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert httpx.get(base + "/health/ready").status_code == 503
    assert httpx.get(base + "/health/live").status_code == 200
    assert httpx.get(base).status_code == 200
    assert process.poll() is None
    finish(process)
    assert process.returncode == 0


def test_a_second_signal_does_not_wait(start):
    process, _ = start(APP_DRAIN_SECONDS="30")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert process.returncode == 0


def test_a_taken_port_is_an_error_that_says_so(start):
    _, base = start()
    taken = subprocess.run(
        [sys.executable, "-m", "devops_app"],
        env=os.environ
        | {"PYTHONPATH": str(SOURCES), "APP_HOST": "127.0.0.1", "APP_PORT": base.rsplit(":", 1)[1]},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert taken.returncode != 0
    assert "address already in use" in taken.stdout
