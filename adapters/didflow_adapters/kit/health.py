"""`/healthz/live`, `/healthz/ready` and `/metrics` on a port of their own, without a token."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest

from didflow_adapters.kit.servers import QuietServer

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_JSON: Final = "application/json"


@contextlib.asynccontextmanager
async def health_port(
    host: str,
    port: int | None,
    wrong: Callable[[], Sequence[str]],
    observe: Callable[[], None],
    registry: CollectorRegistry,
) -> AsyncIterator[None]:
    """Serve the port during the block. None: no port. Raises OSError if it is in use.

    `wrong` returns why the process is not ready, as texts for people. Liveness is that the process answers.
    `observe` sets the metrics of the moment.
    """
    if port is None:
        yield
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family)
    config = uvicorn.Config(
        _application(wrong, observe, registry), log_config=None, access_log=False, lifespan="off"
    )
    server = QuietServer(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
        listening.close()


def _application(
    wrong: Callable[[], Sequence[str]], observe: Callable[[], None], registry: CollectorRegistry
) -> Any:
    async def application(scope: Scope, receive: Any, send: Send) -> None:  # noqa: ARG001 - ASGI passes it
        if scope["type"] != "http":
            return
        observe()
        status, kind, body = _answer(scope["path"], wrong, registry)
        if scope["method"] not in ("GET", "HEAD"):
            status, body = 405, b""
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return application


def _answer(
    path: str, wrong: Callable[[], Sequence[str]], registry: CollectorRegistry
) -> tuple[int, str, bytes]:
    if path == "/metrics":
        return 200, _TEXT, generate_latest(registry)
    if path not in ("/healthz/live", "/healthz/ready"):
        return 404, _JSON, b"{}"
    found = [] if path.endswith("live") else list(wrong())
    return (503 if found else 200), _JSON, json.dumps({"wrong": found}).encode()
