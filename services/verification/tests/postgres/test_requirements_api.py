"""Requirements and the what-if over HTTP."""

from typing import Any
from uuid import uuid4

import pytest

from didflow_verification.store import REGISTRATIONS

BUSINESS = {"type": "business", "company_name": "Example Bakery Ltd"}
DUBLIN = {"street": "1 Quay Street", "city": "Dublin", "country": "IE"}


async def test_a_country_and_a_number_type_select_the_rows_that_apply(ann: Any) -> None:
    """They have their fields, dates and sources. A country without a row gets the row for all other countries."""
    asked = {"country": "IE", "number_type": "local"}
    (row,) = (await ann.get("/v1/requirements", params=asked)).json()["items"]
    assert (row["key"], row["country"], row["version"]) == ("ie.local.business", "IE", 1)
    assert row["address"] == {"required": True, "match": "area", "proof": None}
    assert row["sources"]
    (row,) = (await ann.get("/v1/requirements", params=asked | {"country": "FJ"})).json()["items"]
    assert (row["key"], row["country"]) == ("any.any", "FJ")


async def test_the_whole_catalogue_can_be_listed_and_filtered(ann: Any) -> None:
    """The list has pages. The filters are day, country and end-user type."""
    first = (await ann.get("/v1/requirements", params={"limit": 30})).json()
    second = (await ann.get("/v1/requirements", params={"limit": 30, "cursor": first["next"]})).json()
    rows = first["items"] + second["items"]
    assert (len(rows), second["next"]) == (39, None)
    assert len({row["key"] for row in rows}) == 39
    spain = (await ann.get("/v1/requirements", params={"country": "ES"})).json()["items"]
    assert {row["key"] for row in spain} == {"es.local.individual", "es.local.business"}
    persons = {"country": "ES", "end_user_type": "individual"}
    assert [row["key"] for row in (await ann.get("/v1/requirements", params=persons)).json()["items"]] == [
        "es.local.individual"
    ]
    before = {"country": "IE", "on": "2025-12-31"}
    assert (await ann.get("/v1/requirements", params=before)).json()["items"] == []


async def test_the_what_if_lists_every_check(ann: Any) -> None:
    """Unsaved details for a kind of number: passed checks, failed checks, and those of a reviewer."""
    body = {
        "country": "DE",
        "number_type": "local",
        "area": "Berlin",
        "identity": BUSINESS | {"vat_number": "529420140"},
        "address": DUBLIN | {"city": "München", "country": "DE"},
    }
    answer = (await ann.post("/v1/requirements/evaluate", json=body)).json()
    assert (answer["satisfied"], answer["outcome"]) == (False, "rejected")
    assert (answer["requirement"], answer["version"]) == ("de.local.business", 1)
    found = {(r["check"], r["passed"], r["code"]) for r in answer["results"]}
    assert found >= {
        ("identity.company_name", True, None),
        ("identity.vat_number", False, "bad_checksum"),
        ("identity.first_name", False, "missing_field"),
        ("address.match", False, "address_outside_area"),
        ("documents.proof_of_address", False, "proof_missing"),
        ("no_po_box", True, None),
        ("provider_form", None, "reviewer_check"),
    }


async def test_the_what_if_knows_countries_without_requirement_and_end_user_types(ann: Any) -> None:
    """Without an identity, everything is missing."""

    async def outcome(**body: Any) -> Any:
        answer = (await ann.post("/v1/requirements/evaluate", json={"number_type": "local"} | body)).json()
        return answer["outcome"], [r["code"] for r in answer["results"] if r["passed"] is False]

    assert await outcome(country="GB", identity=BUSINESS) == ("not_required", [])
    person = {"type": "individual", "first_name": "Joan", "last_name": "Murphy"}
    assert await outcome(country="IE", identity=person) == ("rejected", ["business_only"])
    missing = ["missing_field", "address_missing"]
    assert await outcome(country="IE", end_user_type="business") == ("rejected", missing)
    good = {"identity": BUSINESS, "address": DUBLIN}
    assert await outcome(country="IE", area="Dublin", **good) == ("pending", [])


async def test_the_what_if_for_dids_predicts_the_outcome_of_each(
    running: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """DIDs are named by id or number, in the order of the request. Different outcomes are listed one by one."""
    await running.receive(build.purchased())
    free = type(build)()
    free.did, free.number = uuid4(), "+442079460000"
    await running.receive(free.purchased())
    names = [str(build.did), free.number, build.number.removeprefix("+"), "+35319609037", str(uuid4())]
    body = {"dids": names, "identity_id": bakery.identity_id, "address_id": bakery.address_id}
    answer = (await ann.post("/v1/requirements/evaluate", json=body)).json()
    assert list(answer) == [
        "satisfied",
        "outcome",
        "requirement",
        "version",
        "results",
        "per_did",
        "evaluations",
    ]
    assert [answer[name] for name in list(answer)[:6]] == [False, None, None, None, [], True]
    found = [
        (e["did"], e["code"], e["evaluation"] and e["evaluation"]["outcome"]) for e in answer["evaluations"]
    ]
    assert found == [
        (names[0], None, "pending"),
        (names[1], None, "not_required"),
        (names[2], None, "pending"),
        (names[3], "not_found", None),
        (names[4], "not_found", None),
    ]
    await running.receive(build.assigned(bakery, bakery))
    assert (await running.outbox())[-1]["data"]["registration"] == "pending"


async def test_details_are_satisfied_although_a_did_is_not_found(
    running: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """An unknown DID makes `satisfied` false and `per_did` true, and the others keep their evaluation."""
    await running.receive(build.purchased())
    details = {"identity_id": bakery.identity_id, "address_id": bakery.address_id}

    async def asked(*names: str) -> Any:
        return (await ann.post("/v1/requirements/evaluate", json=details | {"dids": names})).json()

    same = await asked(build.number, str(build.did))
    assert (same["satisfied"], same["outcome"], same["per_did"]) == (True, "pending", False)
    assert same["results"] == same["evaluations"][1]["evaluation"]["results"] != []
    mixed = await asked(build.number, "+35319609037")
    assert (mixed["satisfied"], mixed["outcome"], mixed["per_did"]) == (False, None, True)
    assert mixed["evaluations"][0]["evaluation"] == same["evaluations"][0]["evaluation"]
    assert mixed["evaluations"][1] == {"did": "+35319609037", "code": "not_found", "evaluation": None}
    unknown = await asked("+35319609037")
    assert (unknown["satisfied"], unknown["per_did"], unknown["results"]) == (False, True, [])


@pytest.mark.parametrize("area", ["Dublin", "  DÚBLIN ", "Dublin 6"])
async def test_the_area_of_a_what_if_is_not_folded_like_a_city(ann: Any, area: str) -> None:
    """The number of a district, case and accents do not matter, in the area and in the address."""
    body = {"country": "IE", "number_type": "local", "area": area, "identity": BUSINESS}
    for city in ("Dublin", "dublin 2"):
        asked = body | {"address": DUBLIN | {"city": city}}
        answer = (await ann.post("/v1/requirements/evaluate", json=asked)).json()
        assert (answer["outcome"], answer["per_did"], answer["evaluations"]) == ("pending", False, [])


async def test_a_common_evaluation_is_repeated_at_the_top(
    running: Any, ann: Any, build: Any, bakery: Any
) -> None:
    """This is so for a single DID."""
    await running.receive(build.purchased())
    body = {"dids": [build.number], "identity_id": bakery.identity_id}
    answer = (await ann.post("/v1/requirements/evaluate", json=body)).json()
    assert (answer["satisfied"], answer["outcome"]) == (False, "rejected")
    assert [r["code"] for r in answer["results"] if r["code"]] == ["address_missing", "reviewer_check"]
    assert answer["evaluations"][0]["evaluation"]["results"] == answer["results"]


async def test_a_foreign_identity_is_not_yours_and_a_foreign_did_is_not_found(
    running: Any, build: Any, bakery: Any
) -> None:
    """The what-if reveals nothing of other accounts."""
    await running.receive(build.purchased())
    async with running.as_caller("bob", "master/globex") as bob:
        body = {"country": "IE", "number_type": "local", "identity_id": bakery.identity_id}
        answer = (await bob.post("/v1/requirements/evaluate", json=body)).json()
        assert [(r["code"], r["field"]) for r in answer["results"]] == [("not_yours", "identity_id")]
        foreign = {"dids": [build.number], "identity_id": bakery.identity_id}
        answer = (await bob.post("/v1/requirements/evaluate", json=foreign)).json()
        assert [e["code"] for e in answer["evaluations"]] == ["not_found"]
        assert answer["satisfied"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "dids"),
        ({"dids": ["+35319609036"], "country": "IE", "number_type": "local"}, "dids"),
        ({"country": "IE", "identity": BUSINESS}, "number_type"),
        ({"country": "IE", "number_type": "local"}, "end_user_type"),
        (
            {
                "country": "IE",
                "number_type": "local",
                "identity": BUSINESS,
                "identity_id": "0190a5b6-7c00-7000-8000-000000000001",
            },
            "identity",
        ),
        ({"dids": []}, "dids"),
        ({"dids": ["+35319609036"] * 1001}, "dids"),
    ],
)
async def test_an_error_about_several_fields_names_no_field(ann: Any, body: Any, field: str) -> None:
    """The error names the first field, and its message is a sentence."""
    answer = await ann.post("/v1/requirements/evaluate", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] in {"input_invalid", "too_few", "too_many"}
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"].endswith(".")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/identities", BUSINESS | {"company_name": " "}),
        ("/v1/addresses", DUBLIN | {"identity_id": str(uuid4()), "country": "Ireland"}),
        ("/v1/requirements/evaluate", {"country": "ireland", "number_type": "local", "area": " "}),
    ],
)
async def test_an_error_message_shows_a_regular_expression(ann: Any, path: str, body: Any) -> None:
    """Every message is a sentence that says what to write."""
    answer = await ann.post(path, json=body)
    assert answer.status_code == 422
    for error in answer.json()["errors"]:
        assert not set("^$[]\\") & set(error["message"])
        assert error["message"].endswith(".")


async def test_a_user_evaluates_details_of_others(running: Any) -> None:
    """A user reads requirements and nothing else here. The role is checked before the body."""
    user = running.as_caller("ursula", "master/acme", "user")
    assert (await user.get("/v1/requirements")).status_code == 200
    for method, path in (
        ("POST", "/v1/requirements/evaluate"),
        ("GET", "/v1/identities"),
        ("GET", f"/v1/verifications/{uuid4()}"),
        ("POST", "/v1/service-requests"),
        ("POST", "/v1/documents"),
    ):
        answer = await user.request(method, path, content=b"{" if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


async def test_a_thousand_dids_are_read_by_few_statements(
    running: Any, ann: Any, build: Any, bakery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of statements does not depend on the number of DIDs."""
    numbers = [f"+3531960{n:04}" for n in range(1_000)]
    events = []
    for number in numbers:
        one = type(build)()
        one.did, one.number = uuid4(), number
        events.append(one.purchased())
    for start in range(0, 1_000, 250):
        await running.receive(*events[start : start + 250])
    statements = []
    fetch = type(running.database).fetch

    async def counted(self: Any, *args: Any) -> Any:
        statements.append(args)
        return await fetch(self, *args)

    monkeypatch.setattr(type(running.database), "fetch", counted)
    body = {"identity_id": bakery.identity_id, "address_id": bakery.address_id}
    counts = []
    for asked in (numbers[:1], numbers):
        statements.clear()
        answer = (await ann.post("/v1/requirements/evaluate", json=body | {"dids": asked})).json()
        counts.append(len(statements))
        assert (answer["outcome"], len(answer["evaluations"])) == ("pending", len(asked))
    assert counts[0] == counts[1] <= 7


@pytest.mark.parametrize(
    ("area", "outcome"), [("Dublin", "approved"), ("dublin", "approved"), ("Cork", "rejected")]
)
async def test_the_what_if_for_an_area_knows_the_review_that_a_number_there_would_rest_on(
    running: Any, ann: Any, rita: Any, build: Any, *, bakery: Any, pending_id: str, area: str, outcome: str
) -> None:
    """The details were reviewed for a number in Dublin. A next number there is approved at once, as predicted."""
    kind = {"country": "IE", "number_type": "local", "end_user_type": "business", "area": area}
    details = {"identity_id": bakery.identity_id, "address_id": bakery.address_id}
    before = (await ann.post("/v1/requirements/evaluate", json=kind | details)).json()
    assert before["outcome"] == ("pending" if outcome == "approved" else outcome)
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    after = (await ann.post("/v1/requirements/evaluate", json=kind | details)).json()
    assert after["outcome"] == outcome

    one = type(build)()
    one.did, one.number = uuid4(), {"Cork": "+353214567890"}.get(area, "+35314567890")
    await running.receive(one.purchased(), one.assigned(bakery, bakery))
    assert (await running.stored(REGISTRATIONS, one.did)).state == outcome
