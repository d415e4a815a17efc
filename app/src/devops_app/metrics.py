"""The app's metrics. Labels are bounded: route templates, known methods, statuses."""

from __future__ import annotations

from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from .models import Version

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def method_label(method: str) -> str:
    """A client may send any word as its method; only the known ones become a label."""
    return method if method in METHODS else "OTHER"


@dataclass
class Metrics:
    """All of them in a registry of their own, so that a test can have many apps."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        """Registers them."""
        labels = ("method", "route", "status")
        self.requests = Counter(
            "http_requests", "Requests answered.", labels, registry=self.registry
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            labels,
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "http_requests_in_flight",
            "Requests being answered now.",
            ("method", "route"),
            registry=self.registry,
        )
        self.limit = Gauge(
            "app_concurrency_limit",
            "Connections and tasks at which the app starts to refuse.",
            registry=self.registry,
        )
        self.ready = Gauge(
            "app_ready", "1 while the app wants traffic, else 0.", registry=self.registry
        )
        self.build = Gauge(
            "app_build_info",
            "What was built; always 1.",
            ("version", "revision", "build_time", "image"),
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def describe(self, version: Version, limit: int) -> None:
        """Sets what stays the same for the life of the process."""
        self.build.labels(**version.model_dump()).set(1)
        self.limit.set(limit)
