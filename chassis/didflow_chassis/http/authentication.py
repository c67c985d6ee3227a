"""Who a bearer token belongs to: signature, issuer, audience, time, then `sub`, `account` and `role` (spec http).

Time is this machine's own: a moved service clock neither ends nor prolongs a token.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

import jwt
from jwt import PyJWK

from didflow_chassis.decision import Caller
from didflow_chassis.http.gate import unauthorized
from didflow_chassis.http.jwks import ALGORITHMS, Keys, KeysUnavailable, loader
from didflow_chassis.http.problems import RETRY_AFTER, Problem
from didflow_contracts.roles import ROLES

LEEWAY_S = 10
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}(/[a-z0-9-]{1,63})*")
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")


class Issuer(Protocol):
    """Whose tokens are taken, as the settings say it."""

    @property
    def issuer(self) -> str:
        """What `iss` must be."""

    @property
    def jwks_url(self) -> str:
        """Where the issuer's keys are."""

    @property
    def audience(self) -> str | None:
        """What `aud` must hold; None leaves it unchecked."""


class Authenticator:
    """Takes tokens of one issuer, signed with RS256, ES256 or EdDSA."""

    def __init__(self, issuer: str, audience: str | None, keys: Keys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys

    async def caller(self, token: str) -> Caller:
        """Return whose token this is. Raises Problem `token_invalid`, `token_expired` or `unavailable`."""
        kid = _key_id(token)
        try:
            key = await self._keys.find(kid)
        except KeysUnavailable as error:
            raise Problem("unavailable", "Tokens cannot be checked now.", headers=RETRY_AFTER) from error
        if key is None:
            raise unauthorized("token_invalid", "The token's key is not known.")
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
            raise unauthorized("token_expired", "The token has expired.") from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise unauthorized("token_invalid", "The token is not accepted.") from error


def authenticator(issuer: Issuer) -> Authenticator:
    """Make the authenticator that the settings describe."""
    return Authenticator(issuer.issuer, issuer.audience, Keys(loader(issuer.jwks_url)))


def _key_id(token: str) -> str | None:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise unauthorized("token_invalid", "The token cannot be read.") from error
    kid = header.get("kid")
    if header.get("alg") not in ALGORITHMS or not isinstance(kid, str | None):
        raise unauthorized("token_invalid", "The token's algorithm is not accepted.")
    return kid


def _caller(claims: Mapping[str, Any]) -> Caller:
    subject, account, role = (claims.get(name) for name in ("sub", "account", "role"))
    if not (isinstance(subject, str) and _SUBJECT.fullmatch(subject)):
        raise unauthorized("token_invalid", "The token has no usable sub.")
    if not (isinstance(account, str) and len(account) <= 512 and _ACCOUNT.fullmatch(account)):
        raise unauthorized("token_invalid", "The token has no usable account.")
    if not (isinstance(role, str) and role in ROLES):
        raise unauthorized("token_invalid", "The token has no known role.")
    return Caller(subject=subject, account=account, role=role)
