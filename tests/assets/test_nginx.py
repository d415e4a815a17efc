"""The proxy's configuration, run by a real nginx in front of the real app."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from conftest import ROOT, answers, free_port, start_app, tool, wait

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Stub:
    """An upstream that takes a connection and closes it without an answer, and counts."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.taken = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                self.taken += 1


def configure(folder: Path, listen: int, app: int) -> None:
    """The stack's own files, with the ports and the address of this test."""
    shutil.copytree(ROOT / "nginx", folder, dirs_exist_ok=True)
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    for file in (folder / "nginx.conf", folder / "conf.d/app.conf"):
        text = file.read_text()
        text = text.replace("listen 8080", f"listen 127.0.0.1:{listen}")
        text = text.replace("http://app:8000", f"http://127.0.0.1:{app}")
        text = text.replace("/tmp/", f"{temporary}/")
        text = text.replace("/dev/stdout", f"{folder}/access.jsonl")
        file.write_text(text)


@pytest.fixture(scope="module")
def front(processes, tmp_path_factory):
    """nginx before the app, before nothing, and before one that breaks off."""
    servers = {}
    stub = Stub()
    targets = {"app": start_app(processes), "nothing": free_port(), "breaks": stub.port}
    for name, target in targets.items():
        folder = tmp_path_factory.mktemp(f"nginx-{name}")
        folder.chmod(0o755)
        port = free_port()
        configure(folder, port, target)
        command = [tool("nginx"), "-e", "stderr", "-c", str(folder / "nginx.conf")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        processes.start(f"nginx-{name}", *command)
        wait(f"nginx-{name}", lambda p=port: answers(f"http://127.0.0.1:{p}/nginx-health"))
        servers[name] = (f"http://127.0.0.1:{port}", folder / "access.jsonl")
    return servers, stub


def test_every_answer_carries_the_security_headers(front):
    servers, _ = front
    for name, path, status in (
        ("app", "/", 200),
        ("app", "/no/such", 404),
        ("app", "/nginx-health", 200),
        ("app", "/metrics", 200),
        ("nothing", "/", 503),
        ("nothing", "/nginx-health", 200),
    ):
        answer = httpx.get(servers[name][0] + path)
        assert answer.status_code == status, (name, path)
        for header, value in SECURITY.items():
            assert answer.headers.get_list(header) == [value], (name, path, header)
        assert len(answer.headers.get_list("x-request-id")) == 1, (name, path)
        assert not re.search(r"\d", answer.headers.get("server", "")), "no version is told"


@pytest.mark.parametrize(("given", "kept"), [("abc-1", True), ("x" * 129, False), ("a b", False)])
def test_the_request_id_reaches_the_app_and_comes_back(front, given, kept):
    base, _ = front[0]["app"]
    ident = httpx.get(base + "/version", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert (ident == given) == kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", ident)


def test_the_log_is_json_with_id_and_upstream_timing(front):
    base, log = front[0]["app"]
    httpx.get(base + '/version?q="\\', headers={"X-Request-ID": "log-1", "User-Agent": 'a"b\\'})
    httpx.get(base + "/nginx-health")

    def lines():
        return [json.loads(line) for line in log.read_text().splitlines()]

    wait("the line", lambda: any(line["request_id"] == "log-1" for line in lines()))
    (line,) = (line for line in lines() if line["request_id"] == "log-1")
    assert line["status"] == 200
    assert line["method"] == "GET"
    assert line["user_agent"].startswith('a"b')
    assert float(line["upstream_seconds"]) >= 0
    assert float(line["upstream_connect_seconds"]) >= 0
    assert not any("/nginx-health" in line["uri"] for line in lines())


def test_without_an_app_it_says_so_itself(front):
    base, _ = front[0]["nothing"]
    answer = httpx.get(base + "/version", headers={"X-Request-ID": "gone-1"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json() == {"error": "the app cannot be reached", "request_id": "gone-1"}
    assert httpx.post(base + "/version").status_code == 503


def test_only_what_may_be_repeated_is_sent_twice(front):
    servers, stub = front
    base, _ = servers["breaks"]
    for method, times in (("GET", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)):
        before = stub.taken
        assert httpx.request(method, base + "/").status_code == 503
        assert stub.taken - before == times, method


def test_a_body_that_is_too_large_is_refused(front):
    base, _ = front[0]["app"]
    assert httpx.post(base + "/", content=b"x" * (1024 * 1024 + 1)).status_code == 413


def test_the_status_page_is_for_the_container_itself(front):
    # Here the test is the local address that is let in.
    assert "Active connections" in httpx.get(front[0]["app"][0] + "/nginx-status").text
    text = (ROOT / "nginx/conf.d/app.conf").read_text()
    assert re.search(r"stub_status;\s+allow 127\.0\.0\.1;\s+deny\s+all;", text)
