"""What is recorded when the image is built."""

import http.server
import json
import threading

import pytest

from devops_app import buildinfo


def test_given_arguments_are_recorded_as_they_are(tmp_path):
    given = {
        "APP_VERSION": "9.9.9",
        "APP_REVISION": "deadbeef",
        "APP_BUILD_TIME": "2026-01-02T03:04:05Z",
        "APP_IMAGE": "devops-app:9.9.9",
    }
    built = buildinfo.record(given, tmp_path)
    assert list(built.model_dump().values()) == [
        "9.9.9",
        "deadbeef",
        given["APP_BUILD_TIME"],
        "devops-app:9.9.9",
    ]


def test_without_a_revision_the_sources_name_themselves(tmp_path):
    (tmp_path / "a.py").write_text("one")
    (tmp_path / "a.pyc").write_text("ignored")
    first = buildinfo.record({"APP_REVISION": ""}, tmp_path).revision
    assert first.startswith("source-")
    (tmp_path / "a.pyc").write_text("changed")
    assert buildinfo.record({}, tmp_path).revision == first
    (tmp_path / "a.py").write_text("two")
    assert buildinfo.record({}, tmp_path).revision != first


@pytest.fixture
def running():
    answers = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers[0]).encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/version", answers
        server.shutdown()
        thread.join()


def test_the_check_compares_what_runs_with_what_was_built(running, tmp_path, monkeypatch, capsys):
    url, answers = running
    file = tmp_path / "build.json"
    monkeypatch.setenv("APP_BUILD_INFO", str(file))
    assert buildinfo.main(["record", str(file)]) == 0
    answers.append(json.loads(file.read_text()))
    assert buildinfo.main(["check", url]) == 0
    answers[0]["revision"] = "other"
    assert buildinfo.main(["check", url]) == 1
    assert "'revision': 'other'" in capsys.readouterr().out
    assert buildinfo.main([]) == 2
