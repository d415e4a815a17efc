"""What the endpoints answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """The base of all answers: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Root(Answer):
    """`/`"""

    name: str
    message: str
    endpoints: list[str]


class Live(Answer):
    """`/health/live`: the process answers. Restart it when this fails."""

    status: Literal["ok"] = "ok"


class Ready(Answer):
    """`/health/ready`: it wants traffic. Send none while this fails."""

    status: Literal["ok", "unavailable"]
    reason: str | None = None


class Health(Answer):
    """`/health`: both of them, for people."""

    status: Literal["ok", "unavailable"]
    live: Live
    ready: Ready
    uptime_seconds: float


class Version(Answer):
    """`/version`: what runs here, as recorded when the image was built."""

    version: str
    revision: str
    build_time: str
    image: str


class Problem(Answer):
    """What an unexpected failure answers."""

    error: str
    request_id: str
