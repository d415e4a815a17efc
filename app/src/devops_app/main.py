"""The app: its endpoints, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import buildinfo
from .lifecycle import Lifecycle, Stage
from .metrics import Metrics
from .models import Health, Live, Ready, Root, Version
from .observe import Observe
from .settings import Settings


def create_app(settings: Settings | None = None) -> FastAPI:
    """Makes an app that shares nothing with another one."""
    settings = settings or Settings.read()
    version = buildinfo.read(settings.build_info)
    metrics = Metrics()
    metrics.describe(version, settings.concurrency_limit)
    lifecycle = Lifecycle(metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lifecycle.enter(Stage.SERVING)
        yield
        lifecycle.enter(Stage.STOPPING)

    # The pages that show the schema load scripts from elsewhere, which the proxy forbids.
    app = FastAPI(
        title="devops-app",
        version=version.version,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.metrics = metrics
    app.state.lifecycle = lifecycle
    app.add_middleware(Observe, metrics=metrics)

    @app.get("/")
    async def root() -> Root:
        return Root(
            name="devops-app",
            message="The reference platform is up.",
            endpoints=["/", "/health", "/health/live", "/health/ready", "/metrics", "/version"],
        )

    @app.get("/health/live")
    async def live() -> Live:
        return Live()

    @app.get("/health/ready")
    async def ready(response: Response) -> Ready:
        now = lifecycle.ready()
        response.status_code = 200 if now.status == "ok" else 503
        return now

    @app.get("/health")
    async def health(response: Response) -> Health:
        now = lifecycle.ready()
        response.status_code = 200 if now.status == "ok" else 503
        return Health(
            status=now.status, live=Live(), ready=now, uptime_seconds=round(lifecycle.uptime(), 3)
        )

    @app.get("/version")
    async def what_runs() -> Version:
        return version

    @app.get("/metrics", include_in_schema=False)
    async def scrape() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app
