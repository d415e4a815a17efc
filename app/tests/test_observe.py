"""Request ids, metrics, log lines and failures: what surrounds every request."""

import asyncio
import io
import json
import logging

import pytest
from fastapi.responses import StreamingResponse

from devops_app import logs

pytestmark = pytest.mark.anyio


def sample(app, name, **labels):
    return app.state.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def lines():
    before = logging.root.handlers[:], logging.root.level
    stream = io.StringIO()
    logs.configure("DEBUG", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.root.handlers[:], logging.root.level = before


async def test_requests_are_counted_by_template_method_and_status(app, connect):
    @app.get("/items/{item}")
    async def item(item: int):
        return item

    async with connect(app) as client:
        for number in range(3):
            await client.get(f"/items/{number}")
        await client.get("/items/not-a-number")
        await client.post("/items/1")
    labels = {"route": "/items/{item}"}
    assert sample(app, "http_requests_total", method="GET", status="200", **labels) == 3
    assert sample(app, "http_requests_total", method="GET", status="422", **labels) == 1
    assert sample(app, "http_requests_total", method="POST", status="405", **labels) == 1
    count = "http_request_duration_seconds_count"
    assert sample(app, count, method="GET", status="200", **labels) == 3


async def test_unknown_paths_and_methods_share_one_label(app, connect):
    async with connect(app) as client:
        for path in ("/a", "/b/c", "/%00", "/" + "x" * 2000):
            assert (await client.get(path)).status_code == 404
        await client.request("BREW", "/a")
        text = (await client.get("/metrics")).text
    assert sample(app, "http_requests_total", method="GET", route="unmatched", status="404") == 4
    assert sample(app, "http_requests_total", method="OTHER", route="unmatched", status="404") == 1
    assert "BREW" not in text
    assert "xxx" not in text


async def test_an_exception_is_a_500_with_the_request_id_and_nothing_else(app, connect, lines):
    @app.get("/boom")
    async def boom():
        raise RuntimeError("the secret reason")

    async with connect(app) as client:
        answer = await client.get("/boom", headers={"X-Request-ID": "id-1"})
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal server error", "request_id": "id-1"}
    assert answer.headers["x-request-id"] == "id-1"
    assert sample(app, "http_requests_total", method="GET", route="/boom", status="500") == 1
    assert sample(app, "http_requests_in_flight", method="GET", route="/boom") == 0
    failed = [line for line in lines() if line["message"] == "request failed"]
    assert len(failed) == 1
    assert failed[0]["request_id"] == "id-1"
    assert "the secret reason" in failed[0]["exception"]


async def test_an_answer_that_breaks_off_counts_as_500(app, connect):
    @app.get("/half")
    async def half():
        async def body():
            yield b"first"
            raise RuntimeError("half way")

        return StreamingResponse(body())

    async with connect(app) as client:
        await client.get("/half")
    assert sample(app, "http_requests_total", method="GET", route="/half", status="500") == 1
    assert sample(app, "http_requests_in_flight", method="GET", route="/half") == 0


async def test_in_flight_follows_what_happens_at_once(app, connect):
    arrived, go = asyncio.Semaphore(0), asyncio.Event()

    @app.get("/slow/{number}")
    async def slow(number: int):
        arrived.release()
        await go.wait()
        return number

    labels = {"method": "GET", "route": "/slow/{number}"}
    async with connect(app) as client:
        tasks = [asyncio.create_task(client.get(f"/slow/{n}")) for n in range(7)]
        for _ in tasks:
            await arrived.acquire()
        assert sample(app, "http_requests_in_flight", **labels) == 7
        tasks.pop().cancel()
        await asyncio.sleep(0.01)
        assert sample(app, "http_requests_in_flight", **labels) == 6
        go.set()
        await asyncio.gather(*tasks)
    assert sample(app, "http_requests_in_flight", **labels) == 0
    assert sample(app, "http_requests_total", status="200", **labels) == 6
    assert sample(app, "http_requests_total", status="499", **labels) == 1


@pytest.mark.parametrize("given", ["abc-1", "A.b_c-9", "x" * 128])
async def test_a_harmless_request_id_is_kept(app, connect, given):
    async with connect(app) as client:
        answer = await client.get("/", headers={"X-Request-ID": given})
    assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", 'a"b', "a\tb"])
async def test_any_other_is_replaced(app, connect, given):
    headers = {} if given is None else {"X-Request-ID": given}
    async with connect(app) as client:
        first = (await client.get("/", headers=headers)).headers["x-request-id"]
        second = (await client.get("/", headers=headers)).headers["x-request-id"]
    assert len(first) == 32
    assert first != second


async def test_one_line_a_request_in_json(app, connect, lines):
    async with connect(app) as client:
        await client.get("/version?token=secret", headers={"X-Request-ID": "id-2"})
        await client.get("/health/ready")
    version, health = (line for line in lines() if line["message"] == "request")
    assert version["request_id"] == "id-2"
    assert (version["method"], version["route"], version["status"]) == ("GET", "/version", 200)
    assert version["level"] == "info"
    assert "secret" not in json.dumps(version)
    assert health["level"] == "debug"


async def test_ids_do_not_mix_between_requests_at_once(app, connect, lines):
    @app.get("/log/{number}")
    async def log(number: int):
        await asyncio.sleep(0.001 * (number % 3))
        logging.getLogger("test").info("inside", extra={"number": number})

    async with connect(app) as client:
        await asyncio.gather(
            *(client.get(f"/log/{n}", headers={"X-Request-ID": f"id-{n}"}) for n in range(20))
        )
    inside = [line for line in lines() if line["message"] == "inside"]
    assert len(inside) == 20
    assert all(line["request_id"] == f"id-{line['number']}" for line in inside)


def test_a_value_that_json_does_not_know_is_still_logged(lines):
    logging.getLogger("test").info("odd\nvalue", extra={"thing": object()})
    (line,) = lines()
    assert line["message"] == "odd\nvalue"
    assert line["thing"].startswith("<object")
