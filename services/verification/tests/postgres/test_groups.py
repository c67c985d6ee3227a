"""The queue by details: one item for all that waits with the same details, and a reviewer opens it by its fields."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

HOUR = timedelta(hours=1)
PATH = "/v1/verifications?group_by=details"
KEYS = ("identity_id", "address_id", "document_ids", "requirement", "area")


async def waiting(
    running: Any, build: Any, details: Any, numbers: range, account: str = "master/acme"
) -> None:
    """Let numbers in Dublin wait with the same details, an hour after the last ones."""
    await running.set_time(await running.now() + HOUR)
    made = []
    for n in numbers:
        one = type(build)()
        one.did, one.number, one.account = uuid4(), f"+3531960{n:04}", account
        made.append(one)
    await running.receive(*(one.purchased() for one in made))
    await running.receive(*(one.assigned(details, details, one.zero + HOUR) for one in made))


@pytest.fixture
async def second(ann: Any, bakery: Any) -> Any:
    """The same business at another address."""
    place = {"street": "8 Hidden Lane", "city": "Dublin", "country": "IE", "identity_id": bakery.identity_id}
    address_id = (await ann.post("/v1/addresses", json=place)).json()["address_id"]
    return type(bakery)(bakery.identity_id, address_id)


@pytest.fixture
async def grouped(running: Any, build: Any, bakery: Any, second: Any) -> Any:
    """Three groups: the oldest of four numbers in two accounts, then one of two, then one of one in a new area."""
    await waiting(running, build, bakery, range(1, 4))
    await waiting(running, build, second, range(10, 12))
    await waiting(running, build, bakery, range(20, 21), "master/acme/shop")
    await running.fetch("UPDATE verifications SET status = 'approved' WHERE number = '+35319600011'")
    return running


async def test_what_waits_with_the_same_details_is_one_item(
    grouped: Any, rita: Any, bakery: Any, second: Any
) -> None:
    """With its count, its oldest verification and who has claimed one. Decided ones are not counted."""
    answer = await rita.get(PATH)
    assert answer.status_code == 200, answer.text
    first, later = answer.json()["items"]
    queue = (await rita.get("/v1/verifications")).json()["items"]
    assert [first[key] for key in KEYS[:4]] == [
        bakery.identity_id,
        bakery.address_id,
        [],
        "ie.local.business",
    ]
    assert first["area"]
    assert (first["count"], later["count"]) == (4, 1)
    assert (first["accounts"], later["accounts"]) == (2, 1)
    assert (later["address_id"], later["identity_id"]) == (second.address_id, second.identity_id)
    assert [first["oldest"], first["first"]] == [queue[0]["submitted_at"], queue[0]["verification_id"]]
    assert [later["oldest"], later["first"]] == [queue[3]["submitted_at"], queue[3]["verification_id"]]
    assert set(first) == {*KEYS, "count", "accounts", "oldest", "first", "claimed_by"}
    assert answer.json()["next"] is None


async def test_a_group_says_who_has_claimed_it_as_long_as_the_claim_holds(
    grouped: Any, rita: Any, bakery: Any
) -> None:
    """Whichever of its verifications is claimed."""
    opened = await rita.get("/v1/verifications", params={"address_id": bakery.address_id})
    last = opened.json()["items"][-1]["verification_id"]
    async with grouped.as_caller("rob", "master", "reviewer") as rob:
        await rob.post(f"/v1/verifications/{last}/claim")
    assert [item["claimed_by"] for item in (await rita.get(PATH)).json()["items"]] == ["user:rob", None]
    await grouped.set_time(await grouped.now() + timedelta(minutes=16))
    assert [item["claimed_by"] for item in (await rita.get(PATH)).json()["items"]] == [None, None]


async def test_a_reviewer_opens_a_group_by_its_fields(grouped: Any, rita: Any) -> None:
    """The plain list with the fields of a group has exactly its verifications, its first one first."""
    for group in (await rita.get(PATH)).json()["items"]:
        fields = {
            "identity_id": group["identity_id"],
            "address_id": group["address_id"],
            "document_ids": ",".join(group["document_ids"]),
            "requirement": group["requirement"],
            "area": group["area"],
            "status": "pending",
        }
        opened = (await rita.get("/v1/verifications", params=fields)).json()["items"]
        assert (len(opened), opened[0]["verification_id"]) == (group["count"], group["first"])
        for name, other in (
            ("address_id", "none"),
            ("document_ids", str(uuid4())),
            ("requirement", "de.local.business"),
            ("area", "none"),
            ("identity_id", str(uuid4())),
        ):
            found = await rita.get("/v1/verifications", params=fields | {name: other})
            assert found.json()["items"] == [], name
            narrowed = await rita.get(PATH, params=fields | {name: other, "group_by": "details"})
            assert narrowed.json()["items"] == [], name


async def test_groups_without_an_address_or_an_area_are_opened_with_none(grouped: Any, rita: Any) -> None:
    """`none` selects what has none."""
    await grouped.fetch("UPDATE verifications SET address_id = NULL, area = '' WHERE number LIKE '%20'")
    params = {"group_by": "details", "address_id": "none", "area": "none"}
    (group,) = (await rita.get("/v1/verifications", params=params)).json()["items"]
    assert (group["count"], group["address_id"], group["area"]) == (1, None, None)


async def test_groups_have_pages_from_the_oldest_on(grouped: Any, rita: Any, build: Any, bakery: Any) -> None:
    """Each group is on one page, also if its details were submitted at the same instant as others."""
    same = "UPDATE verifications SET submitted_at = '2026-11-20T12:00:00Z', requirement = number"
    await grouped.fetch(same)
    found, cursor = [], None
    while True:
        params = {"group_by": "details", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await rita.get("/v1/verifications", params=params)).json()
        found += [item["requirement"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found)) == 5
    descending = (
        await rita.get("/v1/verifications", params={"group_by": "details", "sort": "-oldest"})
    ).json()
    assert [item["requirement"] for item in descending["items"]] == found[::-1]


@pytest.mark.parametrize(("account", "counts"), [("master/acme/shop", [1]), ("master/globex", [])])
async def test_groups_have_only_verifications_within_the_reach(
    grouped: Any, account: str, counts: list[int]
) -> None:
    """The counts of a reviewer below do not tell of the accounts above or beside."""
    async with grouped.as_caller("ivy", account, "reviewer") as ivy:
        assert [item["count"] for item in (await ivy.get(PATH)).json()["items"]] == counts


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("group_by=detail", "input_invalid", "group_by"),
        ("group_by=details&status=approved", "input_invalid", "status"),
        ("group_by=details&adress_id=none", "unknown_parameter", "adress_id"),
        ("group_by=details&sort=submitted_at", "sort_unknown", "sort"),
        ("address_id=nonsense", "input_invalid", "address_id"),
        ("document_ids=nonsense", "input_invalid", "document_ids"),
    ],
)
async def test_a_wrong_query_of_groups_is_refused(rita: Any, query: str, code: str, field: str) -> None:
    """An unknown value, a status that is not grouped, or an unknown name never lists everything."""
    answer = await rita.get(f"/v1/verifications?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == field


async def test_the_same_documents_in_another_order_are_one_group(
    running: Any, build: Any, rita: Any, bakery: Any, upload: Any
) -> None:
    """A reviewer opens the group with the documents in any order."""
    ids = [(await upload(bakery.identity_id)).json()["document_id"] for _ in range(2)]
    for n, order in enumerate((ids, ids[::-1])):
        one = type(build)()
        one.did, one.number = uuid4(), f"+35319600{n:03}"
        await running.receive(one.purchased(), one.assigned(bakery, bakery, document_ids=order))
    (group,) = (await rita.get(PATH)).json()["items"]
    assert (group["count"], sorted(group["document_ids"])) == (2, sorted(ids))
    for order in (ids, ids[::-1]):
        params = {"document_ids": ",".join(order), "status": "pending"}
        assert len((await rita.get("/v1/verifications", params=params)).json()["items"]) == 2
