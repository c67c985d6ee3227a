"""The issuer's public keys: fetched once, again for a key id never seen, and again when they are old.

However many unknown ids come, the issuer is asked at most once in `INTERVAL_S`; while it is silent, the keys
that are known go on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWTError

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
INTERVAL_S = 10.0
MAX_AGE_S = 600.0
MAX_BYTES = 1_000_000
_LOG = logging.getLogger(__name__)

Load = Callable[[], Awaitable[bytes]]


class KeysUnavailable(Exception):
    """The issuer's keys were never read, and cannot be now."""


class Keys:
    """The keys by id. `load` reads the JWKS document; `clock` is monotonic, in seconds."""

    def __init__(self, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: Mapping[str | None, PyJWK] | None = None
        self._asked_at = float("-inf")

    async def find(self, kid: str | None) -> PyJWK | None:
        """Return the key of this id; without an id, the only key there is. Raises KeysUnavailable."""
        if self._wants(kid):
            async with self._lock:
                if self._wants(kid):
                    await self._refresh()
        if self._known is None:
            raise KeysUnavailable
        return self._pick(kid)

    def _pick(self, kid: str | None) -> PyJWK | None:
        known = self._known or {}
        if kid is None and len(known) == 1:
            return next(iter(known.values()))
        return known.get(kid)

    def _wants(self, kid: str | None) -> bool:
        age = self._clock() - self._asked_at
        return age >= MAX_AGE_S or (age >= INTERVAL_S and self._pick(kid) is None)

    async def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            self._known = read_keys(await self._load())
        except (httpx.HTTPError, OSError, ValueError) as error:
            _LOG.warning("the issuer's keys could not be read: %s", type(error).__name__)


def read_keys(document: bytes) -> Mapping[str | None, PyJWK]:
    """Read a JWKS document, passing over keys that are not for signatures of ours. Raises ValueError."""
    whole = orjson.loads(document)
    listed = whole.get("keys") if isinstance(whole, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS document")  # noqa: TRY004 - bad data, not a bad call
    keys = [key for entry in listed if (key := _key_of(entry)) is not None]
    return {key.key_id: key for key in keys}


def loader(url: str, timeout_s: float = 5.0) -> Load:
    """Return what reads this URL: `https:`, `http:`, or `file:` with a path on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        return lambda: asyncio.to_thread(path.read_bytes)

    async def fetch() -> bytes:
        async with httpx.AsyncClient(timeout=timeout_s) as client:
            answer = await client.get(url)
        answer.raise_for_status()
        if len(answer.content) > MAX_BYTES:
            raise ValueError("larger than any JWKS document")
        return answer.content

    return fetch


def _key_of(entry: Any) -> PyJWK | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = PyJWK(entry)
    except (PyJWTError, ValueError, TypeError):
        return None
    return key if key.algorithm_name in ALGORITHMS and isinstance(key.key_id, str | None) else None
