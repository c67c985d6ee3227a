"""The parameters of a list are checked before anything is read. Lists in memory have pages too."""

from typing import Any

import pytest
from starlette.datastructures import QueryParams

from didflow_chassis.http import Problem
from didflow_chassis.http.lists import page_of_items, write_cursor


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


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_a_list_that_is_computed_in_memory_has_pages_too(sort: str) -> None:
    """Each item is on one page, in the order of its key, also if items are added between two pages."""
    items, seen, cursor = [f"m{i}" for i in range(5)], [], ""
    while cursor is not None:
        params = QueryParams({"limit": "2", "sort": sort, "cursor": cursor})
        page = page_of_items(items, params, sort="name", key=str, render=lambda item: {"name": item})
        seen += [item["name"] for item in page.items]
        cursor = page.next
        items.append(f"a{len(seen)}" if sort == "name" else f"z{len(seen)}")
    assert seen == sorted(items[:5], reverse=sort == "-name")


@pytest.mark.parametrize("value", [1, None])
def test_a_cursor_of_another_list_in_memory_is_refused(value: int | None) -> None:
    """A forged cursor is 422."""
    params = QueryParams({"cursor": write_cursor("name", [value])})
    with pytest.raises(Problem) as caught:
        page_of_items(["a"], params, sort="name", key=str, render=dict)
    assert caught.value.code == "cursor_invalid"
