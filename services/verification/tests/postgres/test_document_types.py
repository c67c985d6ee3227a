"""The types of documents that the catalogue knows: listed, and checked at every upload."""

from datetime import timedelta
from typing import Any

import pytest

NOTHING_STORED = ("documents", "document_contents", "document_chunks")


async def test_the_document_types_are_not_listed(running: Any, ann: Any) -> None:
    """Each has the keys that its `states` may have. Every role may read them, in pages."""
    async with running.as_caller("ursula", "master/acme", "user") as user:
        listed = (await user.get("/v1/document-types")).json()
    assert listed["next"] is None
    states = {item["type"]: item["states"] for item in listed["items"]}
    assert list(states) == sorted(states)
    assert states["passport"] == ["address", "birth_date", "holder_last_name", "national_id"]
    assert {"company_name", "registration_number"} <= set(states["commercial_register_extract"])
    first = (await ann.get("/v1/document-types", params={"limit": 2})).json()
    rest = (await ann.get("/v1/document-types", params={"cursor": first["next"]})).json()
    assert [each["type"] for each in first["items"] + rest["items"]] == list(states)
    assert (await ann.get("/v1/document-types", params={"page": 2})).json()["code"] == "unknown_parameter"


async def test_the_requirements_do_not_say_which_keys_a_document_may_state(ann: Any) -> None:
    """Each group of documents has the accepted types and the data that the row compares."""
    asked = {"country": "DE", "number_type": "local"}
    (row,) = (await ann.get("/v1/requirements", params=asked)).json()["items"]
    assert [(each["group"], each["accepts"], each["states"]) for each in row["documents"]] == [
        (
            "proof_of_business",
            ["commercial_register_extract", "tax_certificate"],
            ["company_name", "registration_number"],
        ),
        ("proof_of_address", ["commercial_register_extract", "tax_certificate"], ["address"]),
    ]


@pytest.mark.parametrize(
    ("form", "code", "field", "advice"),
    [
        (
            {"type": "utilty_bill"},
            "document_type_not_accepted",
            "type",
            "Did you mean 'utility_bill'? Known ",
        ),
        ({"type": "zzzz"}, "document_type_not_accepted", "type", "Known types: articles_of_association, "),
        (
            {"type": "passport", "states": '{"holder_lastname": "Quillfeather"}'},
            "unknown_field",
            "states.holder_lastname",
            "Did you mean 'holder_last_name'? Known keys of passport: address, birth_date, holder_last_name, ",
        ),
        (
            {"type": "service_description", "states": '{"qqqq": "Quillfeather"}'},
            "unknown_field",
            "states.qqqq",
            "Known keys of service_description: none.",
        ),
    ],
)
async def test_an_unknown_type_or_key_of_a_document_is_stored(
    running: Any, upload: Any, bakery: Any, *, form: dict[str, str], code: str, field: str, advice: str
) -> None:
    """It is refused with what is known and the nearest name. Nothing is stored, and no value is repeated."""
    refused = await upload(bakery.identity_id, **form)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    (error,) = refused.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert advice in error["message"]
    assert "Quillfeather" not in refused.text
    assert form["type"] not in error["message"] or code == "unknown_field"
    assert [await running.count(table) for table in NOTHING_STORED] == [0, 0, 0]


async def test_a_document_of_tomorrow_is_stored(running: Any, upload: Any, bakery: Any) -> None:
    """`issued_on` is a day in UTC. Today is accepted, tomorrow is refused."""
    now = await running.database.now()
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    assert (await upload(bakery.identity_id, issued_on=today.isoformat())).status_code == 201
    refused = await upload(bakery.identity_id, issued_on=tomorrow.isoformat())
    assert (refused.status_code, refused.json()["code"]) == (422, "out_of_range")
    assert [error["field"] for error in refused.json()["errors"]] == ["issued_on"]
    assert await running.count("documents") == 1
