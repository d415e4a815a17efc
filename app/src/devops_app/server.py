"""The process: one uvicorn server that stops as asked, and says so."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from . import logs
from .lifecycle import Lifecycle, Stage
from .main import create_app
from .settings import Settings

log = logging.getLogger("devops_app")


class Server(uvicorn.Server):
    """On a signal: not ready at once, then (after the drain time) no new connections,
    then what is in flight ends, then exit 0. A second signal does not wait for that."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, drain_seconds: float) -> None:
        """Takes what the signal has to reach."""
        super().__init__(config)
        self.lifecycle = lifecycle
        self.drain_seconds = drain_seconds

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Our handlers for uvicorn's, which would end by raising the signal once more."""
        loop = asyncio.get_running_loop()
        handled = (signal.SIGTERM, signal.SIGINT)
        for each in handled:
            loop.add_signal_handler(each, self.stop, each)
        try:
            yield
        finally:
            for each in handled:
                loop.remove_signal_handler(each)

    def stop(self, received: signal.Signals) -> None:
        """Begins to stop."""
        if self.lifecycle.stage is Stage.STOPPING:
            log.warning("stopping at once", extra={"signal": received.name})
            self.should_exit = self.force_exit = True
            return
        log.info("stopping", extra={"signal": received.name, "drain_seconds": self.drain_seconds})
        self.lifecycle.enter(Stage.STOPPING)
        asyncio.get_running_loop().call_later(
            self.drain_seconds, setattr, self, "should_exit", True
        )


def build(settings: Settings, app: FastAPI | None = None) -> Server:
    """The server for an app."""
    app = app or create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=settings.concurrency_limit,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    return Server(config, app.state.lifecycle, settings.drain_seconds)


def run() -> None:
    """Serves until told to stop."""
    settings = Settings.read()
    logs.configure(settings.log_level)
    build(settings).run()
    log.info("stopped")
