"""The development issuer: a signing key of this stack's own, and tokens that last. Never for production.

Time is the machine's own: moving the stack's clock does not end a token.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from pydantic import TypeAdapter, ValidationError

from didflow.errors import BadInput
from didflow_contracts.accounts import AccountPath
from didflow_contracts.roles import ROLES

ALGORITHM: Final = "ES256"
ISSUER: Final = "http://didflow.localhost/dev"
"""What every development token says it was issued by, whatever port its stack has."""

TEN_YEARS_S: Final = 10 * 365 * 86_400
JWKS_PATH: Final = "/dev/jwks.json"
_ACCOUNT: Final = TypeAdapter[str](AccountPath)


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Signs tokens for `url` with the key in its folder."""

    url: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, folder: Path, url: str) -> Self:
        """Take the folder's key, made at first use and readable by its owner alone."""
        path = folder / "issuer.pem"
        if not path.exists():
            _write_key(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadInput(f"{path} holds no elliptic curve key")
        return cls(url=url, key=key)

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The public key, as services fetch it."""
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "use": "sig", "alg": ALGORITHM, "kid": self._kid(public)}]}

    def token(self, *, role: str, account: str, subject: str | None = None) -> str:
        """Sign a token for a role in an account's subtree. Raises BadInput for one that nobody would take."""
        if role not in ROLES:
            raise BadInput(f"role {role!r} is none of {', '.join(ROLES)}")
        try:
            _ACCOUNT.validate_python(account)
        except ValidationError:
            raise BadInput(f"account {account!r} is no path such as master/acme") from None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": subject or f"{role}@{account}",
            "account": account,
            "role": role,
            "iat": now,
            "exp": now + TEN_YEARS_S,
        }
        key_id = self.jwks["keys"][0]["kid"]
        return jwt.encode(claims, self.key, algorithm=ALGORITHM, headers={"kid": key_id})

    @staticmethod
    def _kid(public: Mapping[str, Any]) -> str:
        return str(public["x"])[:16]


def _write_key(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    draft.rename(path)


ROLE_ACCOUNTS: Final = {
    "operator": "master",
    "master_reseller": "master",
    "reseller": "master/acme",
    "enterprise_admin": "master/acme/shop",
    "user": "master/acme/shop",
    "reviewer": "master",
    "service": "master",
}
"""Role -> the account that its token is for; all of them exist in every stack."""

SIDE_BY_SIDE: Final = ("master/acme", "master/globex")


def tokens_of(issuer: Issuer) -> dict[str, str]:
    """Return role or account path -> token; those by account are resellers'."""
    by_role = {role: issuer.token(role=role, account=account) for role, account in ROLE_ACCOUNTS.items()}
    by_account = {account: issuer.token(role="reseller", account=account) for account in SIDE_BY_SIDE}
    return by_role | by_account
