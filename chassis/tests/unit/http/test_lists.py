"""The parameters of a list are checked before anything is read. Lists in memory have pages too."""

from typing import Any

import pytest
import sqlalchemy as sa
from starlette.datastructures import QueryParams

from didflow_chassis.http import Problem
from didflow_chassis.http.lists import page_of_items, read_cursor, write_cursor
from didflow_contracts.bounds import ACCOUNT_PATH, COUNT, INSTANT, NAME


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


@pytest.mark.parametrize("character", ["a", "\x01", "\u00e9", "\U0001f600", '"', "\\"])
def test_a_cursor_holds_the_longest_values_of_a_list(character: str) -> None:
    """The `next` of a page is never refused, whatever the names are that the list is sorted by."""
    columns = (sa.column("name", sa.Text()), sa.column("path", sa.Text()))
    values = (character * NAME.most, "a" * ACCOUNT_PATH.most)
    assert read_cursor(write_cursor("name", values), "name", columns) == values


@pytest.mark.parametrize("end", ["least", "most"])
def test_a_cursor_holds_both_ends_of_the_bounds(end: str) -> None:
    """An instant and an integer at the end of its range can be sorted by. Other ones are in no list."""
    columns = (sa.column("at", sa.TIMESTAMP(timezone=True)), sa.column("count", sa.Integer()))
    values = (getattr(INSTANT, end), getattr(COUNT, end))
    assert read_cursor(write_cursor("at", values), "at", columns) == values
    with pytest.raises(Problem):
        read_cursor(write_cursor("at", ("9999-12-31T23:59:59-01:00", 1)), "at", columns)
    with pytest.raises(Problem):
        read_cursor(write_cursor("at", (values[0], COUNT.most + 1)), "at", columns)
