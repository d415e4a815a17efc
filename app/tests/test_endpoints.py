"""What each endpoint answers, and when."""

import json

import pytest

from devops_app.lifecycle import Stage
from devops_app.main import create_app
from devops_app.settings import Settings

pytestmark = pytest.mark.anyio


async def test_root_names_every_endpoint_and_each_answers(app, connect):
    async with connect(app) as client:
        root = (await client.get("/")).json()
        assert root["name"] == "devops-app"
        for endpoint in root["endpoints"]:
            assert (await client.get(endpoint)).status_code == 200, endpoint


async def test_health_tells_liveness_and_readiness_apart(app, connect):
    async with connect(app) as client:
        app.state.lifecycle.enter(Stage.STOPPING)
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, "stopping")
        both = await client.get("/health")
        assert both.status_code == 503
        assert both.json()["live"]["status"] == "ok"
        assert both.json()["ready"]["status"] == "unavailable"


async def test_it_is_not_ready_before_it_has_started(app):
    ready = app.state.lifecycle.ready()
    assert (ready.status, ready.reason) == ("unavailable", "starting")


async def test_there_is_no_way_back_from_stopping(app, connect):
    async with connect(app) as client:
        app.state.lifecycle.enter(Stage.STOPPING)
        app.state.lifecycle.enter(Stage.SERVING)
        assert (await client.get("/health/ready")).status_code == 503
        assert "app_ready 0.0" in (await client.get("/metrics")).text


async def test_version_is_what_was_recorded(tmp_path, connect):
    built = {"version": "1.2.3", "revision": "abc", "build_time": "2026-01-01", "image": "x:1"}
    (tmp_path / "build.json").write_text(json.dumps(built))
    app = create_app(Settings(build_info=tmp_path / "build.json"))
    async with connect(app) as client:
        assert (await client.get("/version")).json() == built
        metrics = (await client.get("/metrics")).text
    assert 'app_build_info{build_time="2026-01-01",image="x:1",revision="abc"' in metrics


def test_a_damaged_record_is_an_error_and_not_unknown(tmp_path):
    (tmp_path / "build.json").write_text('{"version": "1"}')
    with pytest.raises(ValueError, match="revision"):
        create_app(Settings(build_info=tmp_path / "build.json"))


@pytest.mark.parametrize(
    "wrong", [{"APP_PORT": "x"}, {"APP_PORT": "70000"}, {"APP_LOG_LEVEL": "LOUD"}]
)
def test_a_wrong_setting_is_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        Settings.read(wrong)


def test_an_empty_setting_counts_as_unset():
    assert Settings.read({"APP_PORT": ""}).port == 8000
