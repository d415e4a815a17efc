"""What the environment may set, read once at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Every setting, each from the variable `APP_<NAME>`."""

    model_config = ConfigDict(frozen=True)

    host: str = "0.0.0.0"  # noqa: S104 - it runs in a container of its own
    port: int = Field(default=8000, ge=0, le=65535)
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    concurrency_limit: int = Field(default=256, ge=1)
    drain_seconds: float = Field(default=0.0, ge=0, le=60)
    shutdown_seconds: int = Field(default=5, ge=1, le=60)
    build_info: Path = Path("/opt/app/build.json")

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Takes the settings from the environment; an empty variable counts as unset."""
        env = os.environ if environment is None else environment
        return cls.model_validate(
            {name: env[key] for name in cls.model_fields if env.get(key := f"APP_{name.upper()}")}
        )
