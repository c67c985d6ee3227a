"""Tokens for the accounts of a running stack. An account that does not exist gets none: its token would see nothing."""

from pathlib import Path

from didflow import state
from didflow.errors import NoAccount
from didflow.http_client import Api, http_client
from didflow.issuer import ISSUER, Issuer
from didflow_contracts.near_misses import nearest

_SIMILAR = 0.7


async def issued(folder: Path, *, role: str, account: str, subject: str | None) -> str:
    """Return a token for a role and an account of the stack in a folder. Inventory knows the accounts.

    Raises NoStack, BadInput, NoAccount, CallFailed.
    """
    base = state.read(folder).http
    issuer = Issuer.of(folder, ISSUER)
    token = issuer.token(role=role, account=account, subject=subject)
    async with http_client(base, issuer.token(role="reseller", account=account)) as api:
        # An account sees itself and those below it, itself first.
        first = await api.get("/v1/accounts", sort="path", limit=1)
        if [item["path"] for item in first["items"]] == [account]:
            return token
        raise NoAccount(
            await _explained(api.as_caller(issuer.token(role="operator", account="master")), base, account)
        )


async def _explained(api: Api, base: str, account: str) -> str:
    known = [item["path"] for item in await api.pages("/v1/accounts")]
    close = nearest(account, known, similarity=_SIMILAR)
    hint = f" Did you mean {close}?" if close else ""
    return (
        f"There is no account {account!r}.{hint} To create it, send POST {base}/v1/accounts with "
        f'{{"path": "{account}", "name": "...", "may_set_prices": true}} and the token of an account above it.'
    )
