"""The public keys of the token issuer: fetched over HTTPS or from a file, and fetched again regularly."""

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
FIRST_INTERVAL_S = 1.0
KEYS_INTERVAL_S = 10.0
KEYS_MAX_AGE_S = 600.0
KEYS_MAX_BYTES = 1_000_000
_LOG = logging.getLogger(__name__)

Load = Callable[[], Awaitable[bytes]]


class KeysUnavailable(Exception):
    """The issuer's keys have never been fetched, and the last attempt failed."""


class IssuerKeys:
    """The issuer's public keys by id. `load` fetches the JWKS document; `clock` is monotonic, in seconds.

    The keys are fetched once, again for an unknown key id, and again after `KEYS_MAX_AGE_S`, but at most once in
    `KEYS_INTERVAL_S`. Until they were fetched once, it is tried every `FIRST_INTERVAL_S`. If the issuer does not
    answer, the known keys stay in use. Who needs a key that is not known waits for a fetch that is under way.
    """

    def __init__(self, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._load = load
        self._lock = asyncio.Lock()
        self._known: Mapping[str | None, PyJWK] | None = None
        self._fetched_at = float("-inf")

    async def find(self, key_id: str | None) -> PyJWK | None:
        """Return the key of this id; without an id, the only key that exists. Raises KeysUnavailable."""
        if self._must_fetch(key_id) or (self._lock.locked() and self._pick(key_id) is None):
            async with self._lock:
                if self._must_fetch(key_id):
                    await self._fetch()
        if self._known is None:
            raise KeysUnavailable
        return self._pick(key_id)

    def _pick(self, key_id: str | None) -> PyJWK | None:
        known = self._known or {}
        if key_id is None and len(known) == 1:
            return next(iter(known.values()))
        return known.get(key_id)

    def _must_fetch(self, key_id: str | None) -> bool:
        age = self.clock() - self._fetched_at
        if self._known is None:
            return age >= FIRST_INTERVAL_S
        return age >= KEYS_MAX_AGE_S or (age >= KEYS_INTERVAL_S and self._pick(key_id) is None)

    async def _fetch(self) -> None:
        self._fetched_at = self.clock()
        try:
            self._known = read_keys(await self._load())
        except (httpx.HTTPError, OSError, ValueError) as error:
            _LOG.warning("The issuer's keys could not be fetched: %s.", type(error).__name__)


def read_keys(content: bytes) -> Mapping[str | None, PyJWK]:
    """Read a JWKS document. Keys that are not for supported signatures are left out. Raises ValueError."""
    jwks = orjson.loads(content)
    listed = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWKS document")  # noqa: TRY004 - bad data, not a bad call
    keys = [key for entry in listed if (key := _read_key(entry)) is not None]
    return {key.key_id: key for key in keys}


def _read_key(entry: Any) -> PyJWK | None:
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = PyJWK(entry)
    except (PyJWTError, ValueError, TypeError):
        return None
    return key if key.algorithm_name in ALGORITHMS and isinstance(key.key_id, str | None) else None


def loader(url: str, timeout_s: float = 5.0) -> Load:
    """Return a function that reads this URL: `https:`, `http:`, or `file:` with a path on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        return lambda: asyncio.to_thread(path.read_bytes)

    async def fetch() -> bytes:
        async with httpx.AsyncClient(timeout=timeout_s) as client:
            response = await client.get(url)
        response.raise_for_status()
        if len(response.content) > KEYS_MAX_BYTES:
            raise ValueError("larger than any JWKS document")
        return response.content

    return fetch
