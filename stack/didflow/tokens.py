"""The tokens that a new stack hands out: one for each role, and one for each of two accounts side by side."""

from typing import Final

from didflow.issuer import Issuer

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
