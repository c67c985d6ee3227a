"""A day of a reseller over HTTP alone, on all four services: from 500 new numbers to what is left of them."""

from typing import Any

import pytest_asyncio
from harness.fixtures import OnPostgres
from holdings.four_services import ACME, FourServices, four_services

PREFIX = "+1212555"
FIRMS = ("master/acme/north", "master/acme/south")


@pytest_asyncio.fixture
async def services(on_postgres: OnPostgres) -> FourServices:
    """The four services."""
    return await four_services(on_postgres)


def numbers(first: int, last: int) -> list[str]:
    """Return the numbers with these last four digits."""
    return [f"{PREFIX}{n}" for n in range(first, last + 1)]


async def listed(services: FourServices, path: str, by: str = ACME) -> list[Any]:
    """Return the items of a list."""
    joint = "&" if "?" in path else "?"
    answer = await services.call("inventory", "GET", f"{path}{joint}limit=1000", by)
    assert answer.is_success, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def test_a_day_with_500_numbers_from_their_upload_to_the_deletion_of_what_is_left(
    services: FourServices,
) -> None:
    """Ranges, two enterprises, their users, a search, an edit, a take-back and a deletion."""

    async def do(route: str, by: str = ACME, /, **body: Any) -> Any:
        return await services.done("inventory", "POST", route, by, body)

    ranges = {"numbers": ["2000-2299", "3000-3199"], "prefix": PREFIX, "features": ["voice_out"]}
    assert (await do("/v1/stock", **ranges, number_type="local", tag="new"))["done"] == 500
    for firm, first in zip(FIRMS, (2000, 2150), strict=True):
        await do("/v1/accounts", path=firm, name=firm, kind="enterprise")
        given = numbers(first, first + 149)
        assert (await do("/v1/stock/batch/hand-out", numbers=given, account=firm))["done"] == 150
    assert {did["status"] for did in await listed(services, "/v1/dids")} == {"active"}
    assert len(await listed(services, "/v1/dids", f"enterprise_admin:{FIRMS[1]}")) == 150

    admin = f"enterprise_admin:{FIRMS[0]}"
    desk = await do(
        "/v1/users", admin, account=FIRMS[0], name="Desk", kind="pbx", default_did=numbers(2000, 2000)[0]
    )
    team = await do("/v1/users", admin, account=FIRMS[0], name="Team", kind="sms")
    await do("/v1/dids/batch/assign-user", admin, dids=numbers(2001, 2005), user_id=team["user_id"])
    holders = [did["user"] for did in await listed(services, "/v1/dids?number_contains=55520", admin)]
    assert (holders.count(desk["user_id"]), holders.count(team["user_id"])) == (1, 5)

    await do("/v1/dids/batch/edit", admin, dids=numbers(2001, 2003), add_tags=["vip"], description="Main")
    searched = await services.call(
        "inventory", "POST", "/v1/dids/search", admin, {"numbers": numbers(2000, 2009)}
    )
    assert [did["number"] for did in searched.json()["items"] if "vip" in did["tags"]] == numbers(2001, 2003)

    await do("/v1/dids/batch/take-back", dids=numbers(2290, 2299))
    assert len(await listed(services, "/v1/dids")) == 290
    left = [item["number"] for item in await listed(services, "/v1/stock")]
    assert left == [*numbers(2290, 2299), *numbers(3000, 3199)]
    await do("/v1/stock/batch/delete", numbers=left)
    assert await listed(services, "/v1/stock") == await listed(services, "/v1/available") == []
    used = {"numbers": numbers(2000, 2000)}
    refused = await services.call("inventory", "POST", "/v1/stock/batch/delete", ACME, used)
    assert refused.json()["results"][0]["code"] == "in_use"
    assert await services.charges() == []
