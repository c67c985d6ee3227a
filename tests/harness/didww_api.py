"""The part of DIDWW's API that the adapter uses, as a server with a state, for the conformance run.

It was written from the public documentation (https://doc.didww.com/api3/2026-04-16/), and shows nothing about DIDWW.
The last four digits of a number decide how it answers, as docs/conformance.md says.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid4, uuid5

API_KEY = "key"
SLOW_S = 3.0
_RELATIONS = {"voice_in_trunk": "voice_in_trunks", "voice_in_trunk_group": "voice_in_trunk_groups"}

Answer = tuple[int, dict[str, Any], dict[str, str]]


def _error(status: int, title: str, **headers: str) -> Answer:
    return status, {"errors": [{"title": title, "detail": title, "status": str(status)}]}, headers


@dataclass
class DidwwApi:
    """The DIDs and trunks of one account. Every number is there, but those that end in 9991."""

    url: str = ""
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    written: list[tuple[str, str]] = field(default_factory=list)
    _calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, url: str, body: Any) -> Answer:
        """Return status, document and headers."""
        path = urlsplit(url).path.removeprefix("/v3/").split("/")
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        number = query.get("filter[number]")
        if number is not None and (refused := self._by_convention(number)):
            return refused
        with self._lock:
            if method == "GET":
                return 200, {"data": self._found(path[0], query), "included": self._of("voice_in_trunks")}, {}
            if method == "POST":
                return self._created(path[0], body["data"])
            return self._changed(path[1], body["data"])

    def writes_of(self, number: str) -> int:
        """Return how often the DID of this number was changed."""
        return sum(what == number for _, what in self.written)

    def _by_convention(self, number: str) -> Answer | None:
        digits = number[-4:]
        self._calls[number] += 1
        if digits == "9996":
            time.sleep(SLOW_S)
        if self._calls[number] > 1:
            return None
        if digits == "9992":
            return _error(503, "Service Unavailable")
        if digits == "9993":
            return _error(429, "Too Many Requests", **{"Retry-After": "1"})
        return None

    def _of(self, kind: str) -> list[Any]:
        return [each for each in self.resources.values() if each["type"] == kind]

    def _found(self, kind: str, query: dict[str, str]) -> list[Any]:
        if kind == "dids":
            number = query["filter[number]"]
            return [] if number.endswith("9991") else [self._did(number)]
        reference = query["filter[external_reference_id]"]
        return [e for e in self._of(kind) if e["attributes"]["external_reference_id"] == reference]

    def _did(self, number: str) -> Any:
        did_id = str(uuid5(NAMESPACE_URL, number))
        fresh = {
            "id": did_id,
            "type": "dids",
            "attributes": {
                "number": number,
                "blocked": False,
                "terminated": False,
                "awaiting_registration": False,
                "description": None,
                "capacity_limit": None,
                "channels_included_count": 2,
                "dedicated_channels_count": 0,
            },
            "relationships": {name: {"data": None} for name in _RELATIONS},
        }
        return self.resources.setdefault(did_id, fresh)

    def _created(self, kind: str, data: Any) -> Answer:
        names = [each["attributes"].get("name") for each in self.resources.values()]
        if data["attributes"]["name"] in names:
            return _error(422, "name - has already been taken")
        created = {"relationships": {}} | data | {"id": str(uuid4()), "type": kind}
        self.resources[created["id"]] = created
        self.written.append((kind, data["attributes"]["name"]))
        return 201, {"data": created}, {}

    def _changed(self, resource_id: str, data: Any) -> Answer:
        changed = self.resources[resource_id]
        changed["attributes"].update(data["attributes"])
        changed["relationships"].update(data.get("relationships", {}))
        self.written.append((changed["type"], changed["attributes"].get("number", "")))
        return 200, {"data": changed, "included": self._of("voice_in_trunks")}, {}


def _handler(api: DidwwApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            is_known = self.headers["Api-Key"] == API_KEY
            status, document, headers = (
                api.answer(self.command, self.path, body) if is_known else _error(401, "Unauthorized")
            )
            content = json.dumps(document).encode()
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the base class calls these names

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler


@contextmanager
def didww_api() -> Iterator[DidwwApi]:
    """Serve the API on loopback during the block."""
    api = DidwwApi()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(api)) as server:
        server.daemon_threads = True
        api.url = f"http://127.0.0.1:{server.server_port}/v3"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield api
        server.shutdown()
        serving.join()
