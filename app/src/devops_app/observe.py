"""The layer around every request: its id, its metrics, its log line, its failure."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .logs import request_id
from .metrics import UNMATCHED, Metrics, method_label
from .models import Problem

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")
_QUIET = frozenset({"/metrics", "/health", "/health/live", "/health/ready"})

log = logging.getLogger("devops_app.access")


def route_template(routes: Iterable[BaseRoute], scope: Scope) -> str:
    """The template of the route that will answer; one label for all unknown paths."""
    partial = None
    for route in routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return getattr(route, "path", UNMATCHED)
        if match is Match.PARTIAL and partial is None:
            partial = getattr(route, "path", UNMATCHED)
    return partial or UNMATCHED


class Observe:
    """A plain ASGI middleware: streams stay streams, and no task is added."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wraps an app."""
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        given = Headers(scope=scope).get(HEADER, "")
        ident = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        method = method_label(scope["method"])
        route = route_template(scope["app"].router.routes, scope)
        status: int | None = None
        begun = time.perf_counter()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = ident
            await send(message)

        token = request_id.set(ident)
        in_flight = self.metrics.in_flight.labels(method, route)
        in_flight.inc()
        try:
            await self.app(scope, receive, send_marked)
        except Exception:
            log.exception("request failed", extra={"method": method, "route": route})
            if status is not None:
                # Half an answer is out: only closing the connection tells the client.
                status = 500
                raise
            problem = Problem(error="internal server error", request_id=ident)
            answer = JSONResponse(problem.model_dump(), status_code=500)
            await answer(scope, receive, send_marked)
        finally:
            in_flight.dec()
            took = time.perf_counter() - begun
            # No status: the client left before there was an answer.
            label = str(status or 499)
            self.metrics.requests.labels(method, route, label).inc()
            self.metrics.duration.labels(method, route, label).observe(took)
            quiet = route in _QUIET and label.startswith("2")
            log.log(
                logging.DEBUG if quiet else logging.INFO,
                "request",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "route": route,
                    "status": int(label),
                    "duration_ms": round(took * 1000, 3),
                },
            )
            request_id.reset(token)
