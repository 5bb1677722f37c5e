"""What the recording proxy and the origin know, over HTTP, for the Node tests.

GET /requests?since=N      {"count": …, "requests": […]}: what the origin's side saw after its first N requests
GET /object?key=K          what the origin holds under K (nothing: the bucket itself): {"status", "size", "sha256", "headers"}
GET /upload?key=K&id=U     {"status"} of ListParts at the origin: 200 while the upload is open
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from origin import Origin
from recording_proxy import RecordingProxy


class Witness:
    """The HTTP port of one proxy and one origin."""

    def __init__(self, proxy: RecordingProxy, origin: Origin) -> None:
        def requests(since: str) -> dict:
            seen = proxy.requests[int(since) :]
            return {"count": len(proxy.requests), "requests": [request.as_json() for request in seen]}

        answers = {
            "/requests": requests,
            "/object": lambda key: asdict(origin.object(key)),
            "/upload": lambda key, id: {"status": origin.parts(key, id)},
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                parameters = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                body = json.dumps(answers[parts.path](**parameters)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The tests say what failed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()
