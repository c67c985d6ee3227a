"""An HTTP client for addresses that others name. It never connects to an internal address."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, TypeAlias

import httpcore

from didflow_webhooks.addresses import PUBLIC_ONLY, Rules
from didflow_webhooks.connections import AddressForbidden, CheckedConnections, Resolve, SystemResolver
from didflow_webhooks.hosts import INTERNAL, Rejected
from didflow_webhooks.urls import parse_url

TIMEOUT_S: Final = 20.0
"""Longest duration of an exchange. Source: Standard Webhooks, 15 to 30 seconds."""

MAX_REPLY_BYTES: Final = 65_536
IDLE_S: Final = 15.0

FailureCode: TypeAlias = Literal[
    "bad_url", "address_forbidden", "unreachable", "timed_out", "reply_too_large", "bad_reply"
]
_TEXTS: Final[Mapping[FailureCode, str]] = {
    "address_forbidden": "The host has an address that is not a public one.",
    "unreachable": "The host does not answer.",
    "timed_out": "The exchange takes too long.",
    "reply_too_large": "The reply is too large.",
    "bad_reply": "The reply is not HTTP.",
}


class RequestFailed(Exception):
    """No reply was received. `code` is stable; the message has no URL and nothing of the reply."""

    def __init__(self, code: FailureCode, message: str | None = None) -> None:
        super().__init__(message or _TEXTS[code])
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A reply with any status. A redirect is a reply like any other. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300


@cache
def _system_tls() -> ssl.SSLContext:
    """Return the verification by the certificates of the system, which are read once."""
    return ssl.create_default_context()


class GuardedClient:
    """Sends requests to addresses of the public internet, and to no other.

    Each exchange takes `timeout_s` at most, and a reply has `max_reply_bytes` at most. Redirects are not followed,
    proxies of the environment are not used, and no cookies are kept.
    """

    def __init__(
        self,
        rules: Rules = PUBLIC_ONLY,
        *,
        timeout_s: float = TIMEOUT_S,
        max_reply_bytes: int = MAX_REPLY_BYTES,
        max_connections: int = 100,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._timeout_s = timeout_s
        self._max_reply_bytes = max_reply_bytes
        self._resolver = SystemResolver()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _system_tls(),
            network_backend=CheckedConnections(rules, resolve or self._resolver),
            max_connections=max_connections,
            keepalive_expiry=IDLE_S,
        )

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a POST request. Raises RequestFailed if there is no reply."""
        return await self.request("POST", url, content, headers)

    async def request(self, method: str, url: str, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a request. Raises RequestFailed if there is no reply."""
        parsed = parse_url(url, self._rules)
        if isinstance(parsed, Rejected):
            raise RequestFailed("address_forbidden" if parsed.code == INTERNAL else "bad_url", parsed.message)
        port = parsed.port
        target = httpcore.URL(
            scheme=parsed.raw_scheme, host=parsed.raw_host, port=port, target=parsed.raw_path
        )
        sent = [(b"Host", parsed.netloc), (b"Accept-Encoding", b"identity"), (b"Connection", b"keep-alive")]
        sent += [(name.encode(), value.encode()) for name, value in headers.items()]
        sent.append((b"Content-Length", str(len(content)).encode()))
        request = httpcore.Request(method, target, headers=sent, content=content)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(request)
        except AddressForbidden:
            raise RequestFailed("address_forbidden") from None
        except (TimeoutError, httpcore.TimeoutException):
            raise RequestFailed("timed_out") from None
        except (httpcore.RemoteProtocolError, httpcore.LocalProtocolError):
            raise RequestFailed("bad_reply") from None
        except (httpcore.NetworkError, httpcore.UnsupportedProtocol, OSError):
            raise RequestFailed("unreachable") from None

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
        self._resolver.close()

    async def _exchange(self, request: httpcore.Request) -> Reply:
        response = await self._pool.handle_async_request(request)
        try:
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > self._max_reply_bytes:
                    raise RequestFailed("reply_too_large")
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            return Reply(status=response.status, headers=headers, body=bytes(body))
        finally:
            await response.aclose()
