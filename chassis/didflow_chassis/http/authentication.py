"""Who sends a request: the bearer token, the issuer's public keys, and the claims `sub`, `account` and `role`.

The caller is known before any part of the body is read. Expiry uses the clock of this machine: moving the clock of
the service neither ends nor prolongs a token.
Source: spec http, Authentication.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpx
import jwt
import orjson
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow_chassis.decision import Caller
from didflow_chassis.http.limits import Buckets
from didflow_chassis.http.problems import RETRY_AFTER, Problem
from didflow_chassis.http.runtime import TokenVerifier
from didflow_contracts.accounts import is_account_path
from didflow_contracts.roles import ROLES

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA"})
LEEWAY_S = 10
MAX_TOKEN = 8_192
KEYS_INTERVAL_S = 10.0
KEYS_MAX_AGE_S = 600.0
KEYS_MAX_BYTES = 1_000_000
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")
_LOG = logging.getLogger(__name__)

Load = Callable[[], Awaitable[bytes]]


class Authentication:
    """ASGI middleware that puts the caller into the state of the request, or raises a Problem.

    `public` are the paths that need no token. Without `buckets` there is no rate limit.
    """

    def __init__(
        self, app: ASGIApp, *, verifier: TokenVerifier, buckets: Buckets | None, public: frozenset[str]
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._buckets = buckets
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process the request of a known caller. Raises Problem `token_*`, `rate_exceeded`, `unavailable`."""
        if scope["type"] != "http" or scope["path"] in self._public:
            await self._app(scope, receive, send)
            return
        caller = await self._verifier.caller(bearer_token(Headers(scope=scope)))
        scope["state"]["caller"] = caller
        if self._buckets is not None:
            _take(self._buckets, (caller.account, caller.subject), scope)
        await self._app(scope, receive, send)


def _take(buckets: Buckets, caller: tuple[str, str], scope: Scope) -> None:
    allowance = buckets.take(caller)
    scope["state"]["headers"].update(buckets.headers(allowance))
    if allowance.refused:
        raise Problem("rate_exceeded", "Nothing was done. Try again after the time in Retry-After.")


def bearer_token(headers: Headers) -> str:
    """Return the token. Raises Problem `token_missing`, or `token_invalid` if it cannot be a token."""
    given = headers.getlist("authorization")
    if not given:
        raise Problem(
            "token_missing",
            "Send the header Authorization: Bearer with a token.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    scheme, _, token = given[0].partition(" ")
    token = token.strip()
    if len(given) > 1 or scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN:
        raise _unauthorized("token_invalid", "Send one Authorization header with a bearer token.")
    return token


class Issuer(Protocol):
    """The issuer whose tokens are accepted, as in the settings."""

    @property
    def issuer(self) -> str:
        """The required value of `iss`."""

    @property
    def jwks_url(self) -> str:
        """The URL of the issuer's public keys."""

    @property
    def audience(self) -> str | None:
        """The value that `aud` must contain. None: `aud` is not checked."""


class Authenticator:
    """Verifies tokens of one issuer, signed with RS256, ES256 or EdDSA."""

    def __init__(self, issuer: str, audience: str | None, keys: "IssuerKeys") -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    async def caller(self, token: str) -> Caller:
        """Return the caller that a token belongs to.

        Raises Problem `token_invalid`, `token_expired`, or `unavailable` if the keys cannot be fetched.
        """
        key_id = _key_id(token)
        try:
            key = await self._keys.find(key_id)
        except KeysUnavailable as error:
            raise Problem(
                "unavailable",
                "Tokens cannot be checked because the issuer's keys cannot be fetched. Try again later.",
                headers=RETRY_AFTER,
            ) from error
        if key is None:
            raise _unauthorized("token_invalid", "The issuer does not have the key of this token.")
        return _caller(self._claims(token, key))

    def _claims(self, token: str, key: PyJWK) -> Mapping[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iss", "sub"], "verify_aud": self._audience is not None},
            )
        except jwt.ExpiredSignatureError as error:
            raise _unauthorized("token_expired", "The token has expired. Get a new one.") from error
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _unauthorized(
                "token_invalid", "The signature, issuer, audience or time of the token is not accepted."
            ) from error


def authenticator(issuer: Issuer) -> Authenticator:
    """Return the authenticator for the issuer of the settings."""
    return Authenticator(issuer.issuer, issuer.audience, IssuerKeys(loader(issuer.jwks_url)))


def _key_id(token: str) -> str | None:
    try:
        header = jwt.get_unverified_header(token)
    except (PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise _unauthorized("token_invalid", "The token is not a JWT.") from error
    key_id = header.get("kid")
    if header.get("alg") not in ALGORITHMS or not isinstance(key_id, str | None):
        raise _unauthorized("token_invalid", "The token must be signed with RS256, ES256 or EdDSA.")
    return key_id


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, account, role = (claims.get(name) for name in ("sub", "account", "role"))
    if not (isinstance(subject, str) and _SUBJECT.fullmatch(subject)):
        raise _unauthorized("token_invalid", "The claim sub must be a text of 1 to 255 characters.")
    if not (isinstance(account, str) and is_account_path(account)):
        raise _unauthorized("token_invalid", "The claim account must be an account path such as master/acme.")
    if role not in ROLES:
        raise _unauthorized("token_invalid", f"The claim role must be one of {', '.join(ROLES)}.")
    return Caller(subject=subject, account=account, role=role)


def _unauthorized(code: str, detail: str) -> Problem:
    """Return the problem of a token that is not accepted, with the challenge of RFC 6750."""
    challenge = f'Bearer error="invalid_token", error_description="{detail}"'
    return Problem(code, detail, headers={"WWW-Authenticate": challenge})


class KeysUnavailable(Exception):
    """The issuer's keys have never been fetched, and the last attempt failed."""


class IssuerKeys:
    """The issuer's public keys by id. `load` fetches the JWKS document; `clock` is monotonic, in seconds.

    The keys are fetched once, again for an unknown key id, and again after `KEYS_MAX_AGE_S`, but at most once in
    `KEYS_INTERVAL_S`. If the issuer does not answer, the known keys stay in use.
    """

    def __init__(self, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: Mapping[str | None, PyJWK] | None = None
        self._fetched_at = float("-inf")

    async def find(self, key_id: str | None) -> PyJWK | None:
        """Return the key of this id; without an id, the only key that exists. Raises KeysUnavailable."""
        if self._must_fetch(key_id):
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
        age = self._clock() - self._fetched_at
        return age >= KEYS_MAX_AGE_S or (age >= KEYS_INTERVAL_S and self._pick(key_id) is None)

    async def _fetch(self) -> None:
        self._fetched_at = self._clock()
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
