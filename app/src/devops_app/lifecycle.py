"""Where the app stands between start and stop."""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field

from .metrics import Metrics
from .models import Ready


class Stage(enum.Enum):
    """The three stages, each with why the app does or does not want traffic."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


@dataclass
class Lifecycle:
    """The one place that knows the stage; the gauge follows it."""

    metrics: Metrics
    stage: Stage = Stage.STARTING
    started: float = field(default_factory=time.monotonic)

    def enter(self, stage: Stage) -> None:
        """Goes to a stage. There is no way back from stopping."""
        if self.stage is not Stage.STOPPING:
            self.stage = stage
        self.metrics.ready.set(self.stage is Stage.SERVING)

    def ready(self) -> Ready:
        """What `/health/ready` says now."""
        if self.stage is Stage.SERVING:
            return Ready(status="ok")
        return Ready(status="unavailable", reason=self.stage.value)

    def uptime(self) -> float:
        """Seconds since the process was set up."""
        return time.monotonic() - self.started
