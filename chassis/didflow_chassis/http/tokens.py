"""Bearer tokens: what a token must be, and the caller that it names.

Header and claims are read strictly: a member of the wrong JSON type, a name that is there twice or a number that is no
instant makes the token invalid. A token that was accepted is remembered for a short time, so that its signature is not
verified for each request. Expiry uses the clock of this machine: moving the clock of the service neither ends nor
prolongs a token. Source: spec http, Authentication.
"""

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NoReturn, Protocol

import jwt
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from starlette.datastructures import Headers

from didflow_chassis.decision import Caller
from didflow_chassis.http.issuer_keys import ALGORITHMS, IssuerKeys, KeysUnavailable, loader
from didflow_chassis.http.problems import RETRY_AFTER, Problem
from didflow_chassis.http.recent import Recent
from didflow_contracts.accounts import is_account_path
from didflow_contracts.roles import ROLES

LEEWAY_S: Final = 10
MAX_TOKEN: Final = 8_192
LAST_INSTANT: Final = 253_402_300_799
"""The last second of the year 9999. A later instant in a token is not accepted."""

REMEMBERED_S: Final = 60.0
"""For how long an accepted token is accepted without verifying its signature again."""

KNOWN_S: Final = 3_600.0
"""For how long the caller of an accepted token is known."""

_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SUBJECT: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_INSTANTS: Final = ("exp", "nbf", "iat")


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

    def __init__(
        self, issuer: str, audience: str | None, keys: IssuerKeys, now: Callable[[], float] = time.time
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._now = now
        self._tokens: Recent[tuple[Caller, float]] = Recent(REMEMBERED_S, keys.clock)
        self._callers: Recent[None] = Recent(KNOWN_S, keys.clock)

    def remembered(self, token: str) -> Caller | None:
        """Return the caller of a token that was accepted in the last minute and has not expired, else None."""
        found = self._tokens.get(_digest(token))
        if found is None or found[1] + LEEWAY_S <= self._now():
            return None
        return found[0]

    def claimant(self, token: str) -> tuple[str, str] | None:
        """Return account and subject that a token claims, if a token of theirs was accepted in the last hour.

        Nothing is verified, so the answer is only good for counting failures.
        """
        try:
            _, claims = _parts(token)
        except Problem:
            return None
        account, subject = claims.get("account"), claims.get("sub")
        if not (isinstance(account, str) and isinstance(subject, str)):
            return None
        return (account, subject) if (account, subject) in self._callers else None

    async def caller(self, token: str) -> Caller:
        """Return the caller that a token belongs to.

        Raises Problem `token_invalid`, `token_expired`, or `unavailable` if the keys cannot be fetched.
        """
        header, claims = _parts(token)
        key_id = _key_id(header)
        _check_types(claims)
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
        self._verify(token, key)
        caller = _caller(claims)
        self._tokens.add(_digest(token), (caller, float(claims["exp"])))
        self._callers.add((caller.account, caller.subject), None)
        return caller

    def seconds_left(self, token: str) -> float:
        """Return in how many seconds an accepted token expires. The leeway does not count."""
        return float(_parts(token)[1]["exp"]) - self._now()

    def _verify(self, token: str, key: PyJWK) -> None:
        try:
            jwt.decode(
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
        except (PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise _unauthorized(
                "token_invalid", "The signature, issuer, audience or time of the token is not accepted."
            ) from error


def authenticator(issuer: Issuer) -> Authenticator:
    """Return the authenticator for the issuer of the settings."""
    return Authenticator(issuer.issuer, issuer.audience, IssuerKeys(loader(issuer.jwks_url)))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return header and claims of a token, unverified. Raises Problem `token_invalid`."""
    if not _FORM.fullmatch(token):
        raise _unauthorized("token_invalid", "The token is not a JWT.")
    header, claims, _ = token.split(".")
    return _members(header), _members(claims)


def _members(part: str) -> Mapping[str, Any]:
    try:
        text = urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
        found = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _unauthorized("token_invalid", "The token is not a JWT of valid JSON.") from error
    if not isinstance(found, dict):
        raise _unauthorized("token_invalid", "Header and claims of the token must be JSON objects.")
    return found


def _distinct(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is there twice")
    return members


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _key_id(header: Mapping[str, Any]) -> str | None:
    key_id, kind, algorithm = header.get("kid"), header.get("typ", "JWT"), header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _unauthorized("token_invalid", "The token must be signed with RS256, ES256 or EdDSA.")
    if "kid" in header and not isinstance(key_id, str):
        raise _unauthorized("token_invalid", "The header kid of the token must be a text.")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise _unauthorized("token_invalid", "The header typ of the token must be JWT or at+jwt.")
    if "crit" in header or "b64" in header:
        raise _unauthorized("token_invalid", "The token needs an extension that is not supported.")
    return key_id


def _check_types(claims: Mapping[str, Any]) -> None:
    """Raise Problem `token_invalid` unless each registered claim that is there has its JSON type."""
    for name in _INSTANTS:
        if name in claims and not _is_instant(claims[name]):
            raise _unauthorized("token_invalid", f"The claim {name} must be a number of seconds.")
    for name in ("iss", "jti"):
        if name in claims and not isinstance(claims[name], str):
            raise _unauthorized("token_invalid", f"The claim {name} must be a text.")
    audience = claims.get("aud", "")
    listed = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(one, str) for one in listed):
        raise _unauthorized("token_invalid", "The claim aud must be a text or a list of texts.")


def _is_instant(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= LAST_INSTANT  # False for NaN


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, account, role = (claims.get(name) for name in ("sub", "account", "role"))
    if not (isinstance(subject, str) and _SUBJECT.fullmatch(subject)):
        raise _unauthorized("token_invalid", "The claim sub must be a text of 1 to 255 characters.")
    if not (isinstance(account, str) and is_account_path(account)):
        raise _unauthorized("token_invalid", "The claim account must be an account path such as master/acme.")
    if not (isinstance(role, str) and role in ROLES):
        raise _unauthorized("token_invalid", f"The claim role must be one of {', '.join(ROLES)}.")
    return Caller(subject=subject, account=account, role=role)


def _unauthorized(code: str, detail: str) -> Problem:
    """Return the problem of a token that is not accepted, with the challenge of RFC 6750."""
    challenge = f'Bearer error="invalid_token", error_description="{detail}"'
    return Problem(code, detail, headers={"WWW-Authenticate": challenge})
