"""Invoices and the ledger as files, over HTTP."""

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_chassis import row_pages

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
END = datetime(2026, 3, 1, tzinfo=UTC)
"""The end of February."""


async def recorded(billing: Any, at: datetime, *entries: LedgerEntry) -> None:
    """Write entries when the service's clock shows this time."""
    await billing.set_time(at)
    await billing.store(*entries)


async def entries_of(client: Any, month: str = "2026-02", **query: str) -> list[Any]:
    """Return the entries of an invoice, after a comparison of both formats."""
    files = {}
    for kind in ("csv", "jsonl"):
        answer = await client.get(f"/v1/invoices.{kind}", params={"month": month, **query})
        assert answer.status_code == 200, answer.text
        files[kind] = answer.text
    found = [json.loads(each) for each in files["jsonl"].splitlines()]
    rows = list(csv.DictReader(io.StringIO(files["csv"])))
    assert [(row["entry_id"], row["amount"], row["currency"]) for row in rows] == [
        (each["entry_id"], each["money"]["amount"], each["money"]["currency"]) for each in found
    ]
    return found


async def test_an_entry_belongs_to_the_month_in_which_it_was_recorded(billing: Any, make: Any) -> None:
    """One second before the end of February, and one after it. When they were posted does not matter."""
    before, after = make.charge("master", END + HOUR), make.charge("master", END - 9 * HOUR)
    await recorded(billing, END - SECOND, before)
    await recorded(billing, END + SECOND, after)
    await billing.set_time(END + timedelta(days=40))
    async with billing.client("master") as master:
        for month, entry in (("2026-02", before), ("2026-03", after)):
            assert [each["entry_id"] for each in await entries_of(master, month)] == [str(entry.entry_id)]
        assert await entries_of(master, "2026-01") == []


async def test_a_month_is_closed_one_hour_after_its_end(billing: Any) -> None:
    """Until then both files are 409 `not_closed`, and so is a month of the future."""
    async with billing.client("master") as master:
        for at, month, status in (
            (END + HOUR - 5 * SECOND, "2026-02", 409),
            (END + HOUR, "2026-02", 200),
            (END + HOUR, "2026-03", 409),
            (END + HOUR, "2999-12", 409),
        ):
            await billing.set_time(at)
            for kind in ("csv", "jsonl"):
                answer = await master.get(f"/v1/invoices.{kind}", params={"month": month})
                assert answer.status_code == status
                assert status == 200 or answer.json()["code"] == "not_closed"


async def test_an_invoice_is_the_same_to_the_byte_each_time(
    billing: Any, make: Any, monkeypatch: Any
) -> None:
    """A second read and a read after later writes give the same bytes, over several pages too."""
    monkeypatch.setattr(row_pages, "PAGE", 7)
    chosen = random.Random(1)
    charges = (make.charge("master", END - chosen.randrange(99) * HOUR) for _ in range(30))
    await recorded(billing, END - HOUR, *charges)
    await billing.set_time(END + HOUR)

    async def read() -> list[bytes]:
        async with billing.client("master") as master:
            answers = [
                await master.get(f"/v1/invoices.{kind}", params={"month": "2026-02"})
                for kind in ("csv", "jsonl")
            ]
        return [answer.content for answer in answers]

    first = await read()
    assert [each.count(b"\n") for each in first] == [31, 30]
    assert await read() == first
    await billing.store(*(make.charge("master", END - HOUR) for _ in range(5)))
    assert await read() == first


async def test_an_account_gets_the_entries_that_it_and_those_below_pay(billing: Any, make: Any) -> None:
    """`account` names one payer. That of another account has no entries, as one that does not exist."""
    payers = ("master", "master/acme", "master/acme/shop", "master/acme-2")
    await recorded(billing, END - HOUR, *(make.charge(each, END) for each in payers))
    await billing.set_time(END + HOUR)
    async with billing.client("master/acme", "reseller") as acme:
        found = [each["payer"] for each in await entries_of(acme)]
        assert sorted(found) == ["master/acme", "master/acme/shop"]
        for account, count in (("master/acme", 1), ("master/acme/shop", 1), ("master", 0), ("no", 0)):
            assert len(await entries_of(acme, account=account)) == count


@pytest.mark.parametrize(
    "month", ["2026-13", "2026-00", "2026-2", "1999-12", "February", "2026-02-01", "", "٢٠٢٦-02", None]
)
async def test_a_value_that_is_no_month_is_an_input_error(billing: Any, month: str | None) -> None:
    """A month is needed, and is written as `2026-02`."""
    async with billing.client("master") as master:
        for kind in ("csv", "jsonl"):
            answer = await master.get(
                f"/v1/invoices.{kind}", params={} if month is None else {"month": month}
            )
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "month")


async def test_the_ledger_as_a_file_has_what_the_list_has(billing: Any, make: Any, monkeypatch: Any) -> None:
    """Refunds stay negative numbers, and a text that looks like a formula is made a text. Filters are the same."""
    monkeypatch.setattr(row_pages, "PAGE", 3)
    await billing.receive(make.purchased(order_id="=1+1"), make.purchase_refused())
    async with billing.client() as acme:
        listed = (await acme.get("/v1/ledger", params={"limit": "1000"})).json()["items"]
        answer = await acme.get("/v1/ledger.csv")
        charges = await acme.get("/v1/ledger.csv", params={"kind": "setup", "account": "master/acme"})
        unknown = await acme.get("/v1/ledger.csv", params={"payer": "master/acme"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["entry_id"] for row in rows] == [each["entry_id"] for each in listed]
    assert [row["amount"] for row in rows] == [each["money"]["amount"] for each in listed]
    assert sum(float(row["amount"]) for row in rows) == 0
    assert {row["order_id"] for row in rows} == {"'=1+1"}
    assert [row["recorded_at"] for row in rows] == [each["recorded_at"] for each in listed]
    assert len(charges.text.splitlines()) == 2
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_parameter")
