"""What was built: recorded while the image is made, read when the app starts.

`python -m devops_app.buildinfo record FILE` writes it from the build's arguments;
`python -m devops_app.buildinfo check URL` compares what a running app says with it.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from .models import Version
from .settings import Settings

UNKNOWN = Version(version="0.1.0", revision="unknown", build_time="unknown", image="none")


def read(file: Path) -> Version:
    """Reads the record. Without one (a run from the sources) nothing is known."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return UNKNOWN
    return Version.model_validate_json(text)


def source_revision(folder: Path) -> str:
    """Names the sources by their content, for a build that has no Git revision."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return f"source-{digest.hexdigest()[:12]}"


def record(environment: Mapping[str, str], sources: Path) -> Version:
    """Makes the record from the build's arguments; what is not given is found out."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Version(
        version=environment.get("APP_VERSION") or UNKNOWN.version,
        revision=environment.get("APP_REVISION") or source_revision(sources),
        build_time=environment.get("APP_BUILD_TIME") or now,
        image=environment.get("APP_IMAGE") or "unnamed",
    )


def check(url: str, expected: Version) -> str | None:
    """Asks a running app; returns what differs, or nothing."""
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - given by us
        said = json.load(response)
    wanted = expected.model_dump()
    return None if said == wanted else f"{url} says {said}, the image was built as {wanted}"


def main(arguments: list[str]) -> int:
    """The two commands above."""
    match arguments:
        case ["record", file]:
            built = record(os.environ, Path(__file__).parent)
            Path(file).write_text(built.model_dump_json(indent=2) + "\n", encoding="utf-8")
            sys.stdout.write(built.model_dump_json() + "\n")
            return 0
        case ["check", url]:
            expected = read(Settings.read().build_info)
            difference = check(url, expected)
            sys.stdout.write((difference or f"same: {expected.model_dump_json()}") + "\n")
            return 1 if difference else 0
        case _:
            sys.stderr.write("usage: python -m devops_app.buildinfo record FILE | check URL\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
