"""Cancel, restore and renew over HTTP while the clock moves."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from didflow_billing.domain.ledger import LedgerEntry

HOUR = timedelta(hours=1)


class Account:
    """An account with one number, which it changes over HTTP."""

    def __init__(self, billing: Any, number: str) -> None:
        self.billing, self.number, self.http = billing, number, billing.client()

    async def change(self, action: str, **body: Any) -> str:
        """Send one action. Return the code of its refusal, or its outcome."""
        path = f"/v1/terms/batch/{action}"
        result = (await self.http.post(path, json={"dids": [self.number], **body})).json()["results"][0]
        return result["code"] or result["outcome"]

    async def term(self) -> dict[str, Any]:
        """Return the term as it is shown."""
        shown: dict[str, Any] = (await self.http.get(f"/v1/terms/{self.number}")).json()
        return shown

    async def charges(self) -> list[str]:
        """Return the amounts of the ledger."""
        return [str(entry.amount) for entry in await self.billing.rows(LedgerEntry)]

    async def wait_for_the_end(self) -> datetime:
        """Move the clock an hour past the end of paid time, and run what is due. Return that end."""
        end = datetime.fromisoformat((await self.term())["expires_at"])
        await self.billing.set_time(end + HOUR)
        await self.billing.run_due_timers()
        return end


@pytest.fixture
def account(active: Any, make: Any) -> Account:
    """An account with one active number."""
    return Account(active, make.number)


async def test_a_canceled_number_is_restored_free_while_paid_time_is_left(account: Any) -> None:
    """Same expiry, cycles as before, no charge. A canceled number cannot be renewed."""
    await account.change("set-cycles", billing_cycles=7)
    before = await account.term()
    assert await account.change("cancel") == "done"
    assert await account.change("renew", billing_period=1) == "restore_first"
    assert (await account.term())["state"] == "canceled"
    await account.billing.set_time(datetime.fromisoformat(before["expires_at"]) - HOUR)
    assert await account.change("restore", billing_period=12) == "done"
    assert (await account.term(), await account.charges()) == (before, ["3.00", "5.00"])


async def test_a_canceled_number_without_paid_time_is_restored_with_a_renewal(account: Any) -> None:
    """Without a period it is refused. With one it is charged and active from now on, cycles as before."""
    await account.change("set-cycles", billing_cycles=7)
    await account.change("cancel")
    end = await account.wait_for_the_end()
    assert await account.change("renew", billing_period=1) == "restore_first"
    assert await account.change("restore") == "renewal_needed"
    assert await account.change("restore", billing_period=3) == "done"
    term = await account.term()
    assert (term["state"], term["cycles_left"], term["billing_period"]) == ("active", 7, 3)
    assert datetime.fromisoformat(term["period_start"]) >= end + HOUR
    assert await account.charges() == ["3.00", "5.00", "15.00"]


async def test_an_aging_number_is_renewed_from_now_and_one_with_paid_time_from_its_expiry(
    account: Any,
) -> None:
    """The first is in delayed removal until cycles are set, and its new period is its anchor."""
    assert await account.change("renew", billing_period=1) == "done"
    assert (await account.term())["expires_at"] == "2026-03-31T12:30:00Z"
    await account.change("set-cycles", billing_cycles=0)
    end = await account.wait_for_the_end()
    assert (await account.term())["state"] == "aging"
    assert await account.change("renew", billing_period=1) == "done"
    term = await account.term()
    assert (term["state"], term["cycles_left"], term["aging_until"]) == ("delayed_removal", 0, None)
    start = datetime.fromisoformat(term["period_start"])
    assert end + HOUR <= start < end + 2 * HOUR
    assert datetime.fromisoformat(term["expires_at"]) == start.replace(month=4, day=30)
    assert await account.change("set-cycles", billing_cycles=None) == "done"
    assert (await account.term())["state"] == "active"
    assert await account.charges() == ["3.00", "5.00", "5.00", "5.00"]
