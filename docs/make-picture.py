#!/usr/bin/env python3
"""Makes docs/up.svg from a real run: `platform up -d` in a terminal of its own (tmux), its
screen captured with colours and drawn as an SVG.

    python3 docs/make-picture.py            (needs tmux, a built target/release/platform, an engine)
"""

import html
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 118, 24
COLOURS = {30: "#4c566a", 31: "#e06c75", 32: "#98c379", 33: "#e5c07b", 34: "#61afef", 35: "#c678dd",
           36: "#56b6c2", 37: "#d8dee9", 90: "#7f8795", 91: "#e06c75", 92: "#98c379", 93: "#e5c07b",
           94: "#61afef", 95: "#c678dd", 96: "#56b6c2", 97: "#ffffff"}


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
    """(text, colour, bold, dim) of a line with SGR sequences."""
    colour, bold, dim = None, False, False
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        found = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if not found:
            if part:
                yield part, colour, bold, dim
            continue
        for code in (int(c or 0) for c in found.group(1).split(";")):
            if code == 0:
                colour, bold, dim = None, False, False
            elif code == 1:
                bold = True
            elif code == 2:
                dim = True
            elif code == 22:
                bold = dim = False
            elif code == 39:
                colour = None
            elif code in COLOURS:
                colour = COLOURS[code]


def svg(lines: list[str]) -> str:
    width, height, step = COLUMNS * 8.4 + 32, len(lines) * 19 + 56, 19
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
           'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
           f'<rect width="100%" height="100%" rx="8" fill="#1f2430"/>']
    out += [f'<circle cx="{20 + i * 18}" cy="18" r="5" fill="{c}"/>' for i, c in enumerate(["#e06c75", "#e5c07b", "#98c379"])]
    for row, line in enumerate(lines):
        out.append(f'<text x="16" y="{48 + row * step}" xml:space="preserve" fill="#d8dee9">')
        for text, colour, bold, dim in spans(line):
            style = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if bold else "") + (' opacity="0.6"' if dim else "")
            out.append(f"<tspan{style}>{html.escape(text)}</tspan>")
        out.append("</text>")
    return "\n".join([*out, "</svg>", ""])


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


if __name__ == "__main__":
    main()
