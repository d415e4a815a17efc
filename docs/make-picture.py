#!/usr/bin/env python3
"""Makes the pictures of README and docs from real runs: `platform up -d` and the dashboard's screens, in a
terminal of their own (tmux), captured with colours and drawn as SVG.

    python3 docs/make-picture.py            (needs tmux, a built target/release/platform, an engine)

The dashboard's are taken with some load on the app, through Nginx's port on 127.0.0.1.
"""

import html
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 118, 24
COLOURS = {30: "#4c566a", 31: "#e06c75", 32: "#98c379", 33: "#e5c07b", 34: "#61afef", 35: "#c678dd",
           36: "#56b6c2", 37: "#d8dee9", 90: "#7f8795", 91: "#e06c75", 92: "#98c379", 93: "#e5c07b",
           94: "#61afef", 95: "#c678dd", 96: "#56b6c2", 97: "#ffffff"}
BACKGROUND, FOREGROUND = "#1f2430", "#d8dee9"
# Each picture of the dashboard: its file and the keys that lead there.
SCREENS = [("dashboard", ["1"]), ("dashboard-logs", ["2"]), ("dashboard-timeline", ["3"]),
           ("dashboard-graph", ["4"]), ("dashboard-metrics", ["5"]), ("dashboard-probes", ["6"])]


def capture(command: str) -> list[str]:
    session = "platform-picture"
    tmux = ["tmux", "-L", session]
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS + 30), "sh"], check=True, cwd=ROOT)
    try:
        subprocess.run([*tmux, "send-keys", "PS1='$ '; clear", "Enter"], check=True)
        time.sleep(0.5)
        subprocess.run([*tmux, "send-keys", f"{command}; tmux -L {session} wait-for -S done", "Enter"], check=True)
        subprocess.run([*tmux, "wait-for", "done"], check=True, timeout=300)
        time.sleep(0.3)
        screen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True).stdout
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    lines = [re.sub(r"; tmux -L .*$", "", line) for line in screen.rstrip().splitlines()]
    while lines and re.sub(r"\x1b\[[0-9;]*m", "", lines[-1]).strip() in ("", "$"):
        lines.pop()
    return lines


def spans(line: str):
    """(text, foreground, background, bold, dim) of a line with SGR sequences."""
    colour, back, bold, dim, reverse = None, None, False, False, False
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        found = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if not found:
            if part:
                shown = (back or BACKGROUND, colour or FOREGROUND) if reverse else (colour, back)
                yield part, *shown, bold, dim
            continue
        for code in (int(c or 0) for c in found.group(1).split(";")):
            if code == 0:
                colour, back, bold, dim, reverse = None, None, False, False, False
            elif code == 1:
                bold = True
            elif code == 2:
                dim = True
            elif code == 7:
                reverse = True
            elif code == 22:
                bold = dim = False
            elif code == 27:
                reverse = False
            elif code == 39:
                colour = None
            elif code == 49:
                back = None
            elif code in COLOURS:
                colour = COLOURS[code]
            elif code - 10 in COLOURS:
                back = COLOURS[code - 10]


def svg(lines: list[str]) -> str:
    step, cell = 19, 8.4
    width, height = COLUMNS * cell + 32, len(lines) * step + 56
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
           'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
           f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>']
    out += [f'<circle cx="{20 + i * 18}" cy="18" r="5" fill="{c}"/>' for i, c in enumerate(["#e06c75", "#e5c07b", "#98c379"])]
    for row, line in enumerate(lines):
        y, column, texts = 48 + row * step, 0, []
        for text, colour, back, bold, dim in spans(line):
            if back:
                out.append(f'<rect x="{16 + column * cell:.1f}" y="{y - 14}" width="{len(text) * cell:.1f}" '
                           f'height="{step}" fill="{back}"/>')
            style = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if bold else "") + (' opacity="0.6"' if dim else "")
            # Each piece at its own column, whatever the font makes of symbols before it.
            texts.append(f'<tspan x="{16 + column * cell:.1f}"{style}>{html.escape(text)}</tspan>')
            column += len(text)
        out.append(f'<text y="{y}" xml:space="preserve" fill="{FOREGROUND}">{"".join(texts)}</text>')
    return "\n".join([*out, "</svg>", ""])


def ask(stop: threading.Event) -> None:
    """A few requests a second, some of which fail."""
    paths = ["/", "/", "/version", "/health", "/no/such/path"]
    for n in range(100_000):
        if stop.wait(0.05):
            return
        try:
            urllib.request.urlopen(f"http://127.0.0.1:8080{paths[n % len(paths)]}", timeout=2).read()
        except (urllib.error.URLError, OSError):
            pass


def dashboard() -> dict[str, list[str]]:
    """The screens of the dashboard, after half a minute of load."""
    tmux = ["tmux", "-L", "platform-picture"]
    stop = threading.Event()
    load = threading.Thread(target=ask, args=(stop,), daemon=True)
    load.start()
    pictures = {}
    try:
        subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", "34", "sh"], check=True, cwd=ROOT)
        time.sleep(30)
        # Somebody restarts something, so that the timeline has something to tell.
        subprocess.run([ROOT / "target/release/platform", "restart", "nginx"], cwd=ROOT, capture_output=True, check=True)
        subprocess.run([*tmux, "send-keys", "HOME=$(mktemp -d) target/release/platform dashboard", "Enter"], check=True)
        time.sleep(12)
        for name, keys in SCREENS:
            subprocess.run([*tmux, "send-keys", *keys], check=True)
            time.sleep(8)
            screen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True)
            pictures[name] = screen.stdout.rstrip("\n").splitlines()
        subprocess.run([*tmux, "send-keys", "q"], check=True)
    finally:
        stop.set()
        subprocess.run([*tmux, "kill-server"], check=False)
    return pictures


def elided(lines: list[str]) -> list[str]:
    """The long message about an image that is not to be had, cut to its beginning: it names addresses of this machine."""
    out, inside = [], False
    for line in lines:
        text = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if " is unavailable: " in text:
            out.append(line.split(": local:")[0] + " […]")
            inside = True
        elif inside and re.match(r"\S+\s+http://localhost", text):
            inside = False
            out.append(line)
        elif not inside:
            out.append(line)
    return out


def main() -> None:
    if not shutil.which("tmux"):
        sys.exit("tmux is needed (Debian: apt-get install tmux)")
    binary = ROOT / "target/release/platform"
    if not binary.exists():
        sys.exit("build it first: cargo build --release")
    subprocess.run([binary, "down"], cwd=ROOT, capture_output=True, check=False)
    lines = capture("PATH=target/release:$PATH; platform up -d")
    lines = [re.sub(r"^\$ PATH=\S+; ", "$ ", line) for line in lines]
    lines = elided(lines)
    (ROOT / "docs/up.svg").write_text(svg(lines))
    print(f"docs/up.svg: {len(lines)} lines")
    for name, screen in dashboard().items():
        (ROOT / f"docs/{name}.svg").write_text(svg(screen))
        print(f"docs/{name}.svg: {len(screen)} lines")


if __name__ == "__main__":
    main()
