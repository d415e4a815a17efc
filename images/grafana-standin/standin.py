#!/usr/local/bin/python3
"""A stand-in for Grafana in tests: /api/health and /metrics on port 3000.

STANDIN_DELAY: seconds until it is ready (503 before), default 0.
"""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

READY_AT = time.monotonic() + float(os.environ.get("STANDIN_DELAY", "0"))


class Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        ready = time.monotonic() >= READY_AT
        status, kind = 200, "application/json"
        if self.path == "/api/health":
            status = 200 if ready else 503
            body = json.dumps({"database": "ok" if ready else "starting", "version": "stand-in"})
        elif self.path == "/metrics":
            kind = "text/plain; version=0.0.4"
            body = "# TYPE grafana_standin gauge\ngrafana_standin 1\n"
        else:
            status, body = 404, json.dumps({"message": "this is a stand-in, not Grafana"})
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(json.dumps({"level": "warning", "message": "this is a stand-in, not Grafana"}), flush=True)
ThreadingHTTPServer(("0.0.0.0", 3000), Handler).serve_forever()
