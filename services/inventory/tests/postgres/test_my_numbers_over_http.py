"""My Numbers over HTTP on a real PostgreSQL: who sees which DIDs, the list, the summary, end-user details."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from didflow_inventory.domain.accounts.users import User
from didflow_inventory.domain.did import Did

OTHER_ID = str(UUID(int=7))
USER = UUID(int=8)


async def test_a_did_in_an_answer_has_exactly_the_promised_fields(inventory: Any, make: Any) -> None:
    """Source: spec http, "A DID in an answer"."""
    did = await inventory.purchase(make, make.number)

    assert set(did) == {
        "did_id",
        "number",
        "country",
        "region",
        "area",
        "number_type",
        "features",
        "account",
        "user",
        "description",
        "notes",
        "tags",
        "carrier",
        "sms_carrier",
        "stock",
        "hold",
        "blocked_by",
        "origin",
        "payer",
        "purchased_at",
        "status",
        "status_label",
        "circle",
        "next_step",
        "actions",
        "time_left_days",
        "registration",
        "identity",
        "services",
        "routing",
        "term",
    }
    assert set(did["next_step"]) == {"action", "who", "by", "also"}
    assert set(did["registration"]) == {
        "state",
        "icon",
        "verification_id",
        "reference",
        "reasons",
        "valid_until",
        "grace_until",
    }
    assert set(did["identity"]) == {"identity_id", "address_id"}
    assert set(did["routing"]) == {
        "carrier_state",
        "voice",
        "capacity",
        "capacity_group",
        "sms",
        "voice_ready",
        "sms_ready",
        "missing",
    }
    assert set(did["term"]) == {"state", "cycles_left", "billing_period", "expires_at", "aging_until"}


async def test_a_caller_sees_the_dids_in_its_reach(inventory: Any, make: Any) -> None:
    """Accounts above see the DID; accounts beside and below do not, by list, number, id or history."""
    did = await inventory.purchase(make, make.number)
    for by, sees in (
        ("master_reseller:master", True),
        ("reseller:master/acme", True),
        ("reviewer:master/acme", True),
        ("enterprise_admin:master/acme/shop", False),
        ("reseller:other", False),
        ("operator:root", True),
    ):
        await _assert_sees(inventory, by, did, sees=sees)


async def test_a_user_sees_only_the_dids_that_are_assigned_to_it(inventory: Any, make: Any) -> None:
    """It does not see the other DIDs of its account, in no list, summary, page of one number or history."""
    await inventory.purchase(make, "+35319609030")
    did = await inventory.purchase(make, make.number)
    user = "user:master/acme"
    await _assert_sees(inventory, user, did, sees=False)

    stored = await inventory.state(Did, UUID(did["did_id"]))
    owner = User(
        user_id=USER, account="master/acme", name="Desk", kind="pbx", subject="ann", created_at=make.zero
    )
    holding = replace(stored.holding, user=str(USER))
    await inventory.store(owner, Did(holding=holding, views=stored.views))
    await _assert_sees(inventory, user, did, sees=True)
    assert await inventory.get("/v1/dids/summary", user) == {
        "all": 1,
        "not_configured": 1,
        "awaiting_registration": 1,
    }
    assert (await inventory.get("/v1/dids/summary"))["all"] == 2
    await _assert_sees(inventory, "user:other", did, sees=False)


async def _assert_sees(inventory: Any, by: str, did: Any, *, sees: bool) -> None:
    listed = (await inventory.get("/v1/dids", by))["items"]
    assert [item["did_id"] for item in listed] == ([did["did_id"]] if sees else [])
    assert bool(await inventory.get("/v1/dids/summary", by)) is sees
    for name in (did["number"], did["did_id"], f"{did['number']}/history", f"{did['did_id']}/history"):
        response = await inventory.call("GET", f"/v1/dids/{name}", by)
        assert response.status_code == (200 if sees else 404)


async def test_my_numbers_has_pages_in_any_order(inventory: Any, make: Any) -> None:
    """Each DID is on one page."""
    numbers = [f"+3531960903{digit}" for digit in range(6)]
    for number in numbers:
        await inventory.purchase(make, number)
    seen, cursor = [], None
    while True:
        page = await inventory.get(
            "/v1/dids", limit=4, sort="-number", **({"cursor": cursor} if cursor else {})
        )
        seen += [did["number"] for did in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(numbers, reverse=True)


async def test_my_numbers_is_filtered_by_its_parameters(inventory: Any, make: Any) -> None:
    """A DID must match all of them."""
    numbers = [f"+3531960903{digit}" for digit in range(6)]
    for number in numbers:
        await inventory.purchase(make, number, region="Dublin" if number.endswith("3") else None)

    async def found(**query: Any) -> list[str]:
        return [did["number"][-1] for did in (await inventory.get("/v1/dids", **query))["items"]]

    assert await found(numbers=f"{numbers[1]}, {numbers[4][1:]},nonsense") == ["1", "4"]
    assert await found(number_contains="09035") == ["5"]
    assert await found(region="Dublin") == ["3"]
    ((did_id,),) = await inventory.fetch("SELECT did_id FROM dids WHERE number = $1", numbers[1])
    await inventory.receive(make.registration("awaiting", area="Dublin", did_id=did_id, number=numbers[1]))
    assert await found(region="Dublin") == ["1", "3"]
    assert await found(account="master/acme/shop") == []
    assert await found(account="master") == list("012345")
    assert await found(country="IE", status="awaiting_registration", sort="purchased_at") == list("012345")
    assert await found(filter="active") == await found(tag="x") == await found(description="%") == []
    assert await found(expires_after="2026-01-01T00:00:00Z", carrier="simulator") == []
    assert await found(service="emergency") == []


async def test_a_wrong_parameter_of_my_numbers_is_refused(inventory: Any) -> None:
    """Each error names its parameter."""
    for name, value in (
        ("number_contains", "abc"),
        ("service_state", "new"),
        ("filter", "mine"),
        ("sort", "colour"),
    ):
        response = await inventory.call("GET", "/v1/dids", params={name: value})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, name)
    many = await inventory.call("GET", "/v1/dids", params={"numbers": ",".join(["+35319609030"] * 1_001)})
    assert (many.json()["code"], many.json()["errors"][0]["field"]) == ("too_many", "numbers")


async def test_a_misspelled_parameter_never_lists_everything(inventory: Any, make: Any) -> None:
    """An unknown parameter of the list, of one DID, of the summary or of the history is refused."""
    await inventory.purchase(make, make.number)
    for path in ("", "/summary", f"/{make.number}", f"/{make.number}/history"):
        response = await inventory.call("GET", f"/v1/dids{path}", params={"acount": "master/acme"})
        assert (response.status_code, response.json()["code"]) == (422, "unknown_parameter")
        assert response.json()["errors"][0]["field"] == "acount"


async def test_the_summary_counts_the_dids_of_each_quick_filter(inventory: Any, make: Any) -> None:
    """A filter without a match is absent."""
    for digit in range(3):
        await inventory.purchase(make, f"+3531960903{digit}")
    summary = await inventory.get("/v1/dids/summary")

    assert summary == {"all": 3, "not_configured": 3, "awaiting_registration": 3}
    for name, count in summary.items():
        assert len((await inventory.get("/v1/dids", filter=name))["items"]) == count


async def test_assigning_end_user_details_answers_number_by_number(inventory: Any, make: Any) -> None:
    """Results are in the order of the request; an unknown, foreign or malformed name refuses no other.

    The same documents in another order are the same details.
    """
    did = await inventory.purchase(make, make.number)
    names = [make.number, "nonsense", did["did_id"], OTHER_ID, "+35319999999"]
    documents = [OTHER_ID, str(make.identity_id)]
    details = {"identity_id": str(make.identity_id), "address_id": OTHER_ID, "document_ids": documents}
    body = {"dids": names, **details}
    path = "/v1/dids/batch/assign-end-user"
    answer = (await inventory.call("POST", path, key="k", json=body)).json()

    assert [(r["did"], r["outcome"], r["code"]) for r in answer["results"]] == [
        (make.number, "done", None),
        ("nonsense", "refused", "not_found"),
        (did["did_id"], "unchanged", None),
        (OTHER_ID, "refused", "not_found"),
        ("+35319999999", "refused", "not_found"),
    ]
    (event,) = await inventory.published("enduser.assigned")
    assert (str(event.data.identity_id), [str(i) for i in event.data.document_ids]) == (
        str(make.identity_id),
        documents,
    )

    reordered = body | {"document_ids": documents[::-1]}
    again = (await inventory.call("POST", path, json=reordered)).json()
    assert (again["done"], again["unchanged"], again["refused"]) == (0, 2, 3)
    foreign = (await inventory.call("POST", path, "reseller:other", json=body)).json()
    assert foreign["refused"] == 5


async def test_a_misspelled_field_of_an_outside_event_is_shown_in_the_history(
    inventory: Any, make: Any
) -> None:
    """`billing_cycle` is kept as an unknown field, with the known field that it resembles."""
    event = make.purchased()
    raw = msgspec.json.encode(event.data.wire() | {"billing_cycle": 3, "mood": "fine"})
    await inventory.receive(replace(event, raw_data=raw))

    (entry,) = (await inventory.get(f"/v1/dids/{make.number}/history"))["items"]
    assert entry["outcome"] == "applied"
    assert entry["extra"].items() >= {"billing_cycle": 3, "mood": "fine"}.items()
    assert entry["near_misses"] == {"billing_cycle": "billing_cycles"}


async def test_the_openapi_document_names_every_path_and_the_fields_of_a_did(inventory: Any) -> None:
    """It needs no token."""
    document = (await inventory.client().get("/openapi/inventory.json")).json()
    assert "/v1/dids/{did}/history" in document["paths"]
    assert "status_label" in document["components"]["schemas"]["DidAnswer"]["properties"]


async def test_a_search_takes_the_parameters_of_the_list_in_its_body(inventory: Any, make: Any) -> None:
    """The same DIDs in the same pages, with numbers as a list; what a body does not know is refused."""
    for last in range(3):
        await inventory.purchase(make, f"+3531960903{last}")
    numbers = ["+35319609030", "35319609032", "+35319609099"]
    asked = {"numbers": numbers, "sort": "-number", "limit": 1, "filter": "all"}

    first = (await inventory.call("POST", "/v1/dids/search", json=asked)).json()
    second = (await inventory.call("POST", "/v1/dids/search", json={**asked, "cursor": first["next"]})).json()
    listed = await inventory.get("/v1/dids", numbers=",".join(numbers), sort="-number")

    assert [*first["items"], *second["items"]] == listed["items"]
    assert ([did["number"] for did in listed["items"]], second["next"]) == (
        ["+35319609032", "+35319609030"],
        None,
    )
    for body, code in (
        ({"numbrs": []}, "unknown_field"),
        ({"numbers": ["+35319609030"] * 1_001}, "too_many"),
        ({"limit": 0}, "input_invalid"),
        ({"sort": "price"}, "sort_unknown"),
        ({"filter": "none"}, "input_invalid"),
    ):
        refused = await inventory.call("POST", "/v1/dids/search", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, code), body
    empty = (await inventory.call("POST", "/v1/dids/search", json={"numbers": []})).json()
    assert empty == {"items": [], "next": None}


async def test_the_summary_of_an_account_counts_only_its_tree(inventory: Any, make: Any) -> None:
    """An account outside the caller's reach has no DIDs for it."""
    await inventory.purchase(make, "+35319609030")
    await inventory.purchase(make, "+35319609031", account="master/acme/shop")

    assert (await inventory.get("/v1/dids/summary"))["all"] == 2
    assert (await inventory.get("/v1/dids/summary", account="master/acme/shop"))["all"] == 1
    for outside in ("other", "master"):
        expected = {"all": 2} if outside == "master" else {}
        counts = await inventory.get("/v1/dids/summary", account=outside)
        assert {name: n for name, n in counts.items() if name == "all"} == expected


async def test_places_count_the_dids_of_the_caller_by_country_and_region(inventory: Any, make: Any) -> None:
    """Each country is one item with its regions; DIDs of other accounts and removed ones do not count."""
    await inventory.purchase(make, "+35319609030", region="Leinster")
    await inventory.purchase(make, "+35319609031", region="Leinster")
    await inventory.purchase(make, "+35319609032")
    await inventory.purchase(make, "+34934123456", country="ES", account="master/acme/shop")

    ireland = {
        "country": "IE",
        "count": 3,
        "regions": [{"region": "Leinster", "count": 2}, {"region": None, "count": 1}],
    }
    spain = {"country": "ES", "count": 1, "regions": [{"region": None, "count": 1}]}
    assert (await inventory.get("/v1/dids/places"))["items"] == [spain, ireland]
    assert (await inventory.get("/v1/dids/places", "enterprise_admin:master/acme/shop"))["items"] == [spain]
    assert (await inventory.get("/v1/dids/places", "reseller:other"))["items"] == []
