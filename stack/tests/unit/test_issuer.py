"""The development issuer, checked by the code with which services check tokens."""

from pathlib import Path

import orjson
import pytest

from didflow.errors import BadInput
from didflow.issuer import AUDIENCE, ISSUER, ROLE_ACCOUNTS, SIDE_BY_SIDE, Issuer, tokens_of
from didflow.stack import ACCOUNTS
from didflow_chassis.decision import Caller
from didflow_chassis.http import Authenticator
from didflow_chassis.http.issuer_keys import IssuerKeys
from didflow_chassis.http.problems import Problem
from didflow_contracts.roles import ROLES


def authenticator(issuer: Issuer) -> Authenticator:
    async def load() -> bytes:
        return orjson.dumps(issuer.jwks)

    return Authenticator(issuer.url, AUDIENCE, IssuerKeys(load))


async def test_a_service_reads_subject_account_and_role_of_a_token(tmp_path: Path) -> None:
    """They are those that were asked for."""
    issuer = Issuer.of(tmp_path, ISSUER)
    token = issuer.token(role="reseller", account="master/acme", subject="ana")
    assert await authenticator(issuer).caller(token) == Caller(
        subject="ana", account="master/acme", role="reseller"
    )


async def test_two_tokens_without_a_subject_are_two_callers(tmp_path: Path) -> None:
    """A reviewer never has the subject of the person who submitted."""
    issuer = Issuer.of(tmp_path, ISSUER)
    check = authenticator(issuer)
    callers = [
        await check.caller(issuer.token(role=r, account="master")) for r in ("reviewer", "master_reseller")
    ]
    assert callers[0].subject != callers[1].subject


async def test_the_key_stays_with_its_folder(tmp_path: Path) -> None:
    """A token stays valid when the stack is started again. It is not valid for another stack."""
    (tmp_path / "other").mkdir()
    token = Issuer.of(tmp_path, ISSUER).token(role="operator", account="master")
    assert (await authenticator(Issuer.of(tmp_path, ISSUER)).caller(token)).role == "operator"
    with pytest.raises(Problem, match="does not have the key"):
        await authenticator(Issuer.of(tmp_path / "other", ISSUER)).caller(token)


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    """No other account of the machine can sign tokens."""
    Issuer.of(tmp_path, ISSUER)
    assert (tmp_path / "issuer.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("role", "account"), [("king", "master"), ("user", "Master"), ("user", "")])
def test_an_unusable_token_is_refused(tmp_path: Path, role: str, account: str) -> None:
    """The error comes at once, not later as a 401."""
    with pytest.raises(BadInput):
        Issuer.of(tmp_path, ISSUER).token(role=role, account=account)


async def test_a_stack_hands_out_a_token_for_each_role_and_for_two_accounts(tmp_path: Path) -> None:
    """Services accept all of them, and their accounts exist in every stack."""
    issuer = Issuer.of(tmp_path, ISSUER)
    tokens = tokens_of(issuer)
    check = authenticator(issuer)
    callers = {name: await check.caller(token) for name, token in tokens.items()}
    assert set(ROLE_ACCOUNTS) == set(ROLES)
    assert all(callers[role].role == role for role in ROLES)
    assert all(callers[account].account == account for account in SIDE_BY_SIDE)
    assert {caller.account for caller in callers.values()} <= set(ACCOUNTS)
