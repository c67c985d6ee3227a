"""The parameters of a list are checked before anything is read."""

from typing import Any

import pytest


async def test_only_one_row_more_than_the_limit_is_read(world: Any) -> None:
    """The statement has a limit."""
    await world.client.get("/v1/things", params={"limit": 10})
    assert "LIMIT" in world.database.statements[0]


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "1e3", "9" * 30, "٣"])
async def test_a_limit_outside_its_range_is_refused(world: Any, limit: str) -> None:
    """A limit is 1 to 1,000, in ASCII digits."""
    answer = await world.client.get("/v1/things", params={"limit": limit})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
    assert answer.json()["errors"][0]["field"] == "limit"


async def test_an_unknown_sort_is_refused(world: Any) -> None:
    """A list can be sorted only by the columns that it names."""
    for sort in ("colour", "--name", "-"):
        answer = await world.client.get("/v1/things", params={"sort": sort})
        assert (answer.status_code, answer.json()["code"]) == (422, "sort_unknown")
