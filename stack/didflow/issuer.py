"""The development issuer: a signing key of this stack and long-lived tokens. Never use it in production.

The issuer uses the time of the machine. Moving the stack's clock does not end a token.
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
"""The issuer that every development token names, whatever port its stack has."""

TEN_YEARS_S: Final = 10 * 365 * 86_400
AUDIENCE: Final = "didflow"
"""The `aud` of development tokens, and what the APIs of the stack require."""

JWKS_PATH: Final = "/dev/jwks.json"
_ACCOUNT: Final = TypeAdapter[str](AccountPath)


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Signs tokens in the name of `url`."""

    url: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, folder: Path, url: str) -> Self:
        """Return the issuer with the folder's key. The key is created at first use; only its owner may read it."""
        path = folder / "issuer.pem"
        if not path.exists():
            _write_key(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadInput(
                f"{path} does not contain an elliptic curve key. Remove the file to create a new key."
            )
        return cls(url=url, key=key)

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The public key, in the form that services fetch."""
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "use": "sig", "alg": ALGORITHM, "kid": self._kid(public)}]}

    def token(self, *, role: str, account: str, subject: str | None = None) -> str:
        """Return a signed token for a role and an account. Raises BadInput if the role or the path is invalid."""
        if role not in ROLES:
            raise BadInput(f"Unknown role {role!r}. Use one of {', '.join(ROLES)}.")
        try:
            _ACCOUNT.validate_python(account)
        except ValidationError:
            raise BadInput(f"{account!r} is not an account path. Write it like master/acme.") from None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
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
"""Role -> the account of its token. All these accounts exist in every stack."""

SIDE_BY_SIDE: Final = ("master/acme", "master/globex")


def tokens_of(issuer: Issuer) -> dict[str, str]:
    """Return role or account path -> token. The tokens by account path are those of resellers."""
    by_role = {role: issuer.token(role=role, account=account) for role, account in ROLE_ACCOUNTS.items()}
    by_account = {account: issuer.token(role="reseller", account=account) for account in SIDE_BY_SIDE}
    return by_role | by_account
