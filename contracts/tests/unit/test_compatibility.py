"""Every change that breaks users of a released schema is found. A new optional field is not one."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from didflow_contracts.compatibility import breaking_changes
from didflow_contracts.schemas import current

RELEASED = current()
Edit = Callable[[dict[str, Any]], object]


def data(schema: dict[str, Any], name: str) -> dict[str, Any]:
    fields: dict[str, Any] = schema["$defs"][name]
    return fields


def found(topic: str, edit: Edit) -> set[tuple[str, str]]:
    changed = deepcopy(RELEASED)
    edit(changed[topic])
    return {
        (change.kind, change.path.removeprefix(f"{topic}."))
        for change in breaking_changes({"topics": RELEASED}, {"topics": changed})
    }


def rename(schema: dict[str, Any]) -> None:
    fields = data(schema, "DidPurchased")["properties"]
    fields["place"] = fields.pop("area")


def rename_required(schema: dict[str, Any]) -> None:
    shape = data(schema, "DidPurchased")
    shape["properties"]["kind"] = shape["properties"].pop("number_type")
    shape["required"][shape["required"].index("number_type")] = "kind"


def tighten_reference(schema: dict[str, Any]) -> None:
    data(schema, "Money")["properties"]["amount"]["pattern"] = "^[0-9]+$"


def in_purchase(**fields: dict[str, Any]) -> Edit:
    def edit(schema: dict[str, Any]) -> None:
        for name, change in fields.items():
            data(schema, "DidPurchased")["properties"].setdefault(name, {}).update(change)

    return edit


BREAKS: dict[str, tuple[Edit, set[tuple[str, str]]]] = {
    "removing": (
        lambda s: data(s, "DidPurchased")["properties"].pop("area"),
        {("removed", "data.area")},
    ),
    "renaming": (rename, {("removed", "data.area")}),
    "renaming what is required": (
        rename_required,
        {("removed", "data.number_type"), ("required", "data.kind")},
    ),
    "requiring": (
        lambda s: data(s, "DidPurchased")["required"].append("country"),
        {("required", "data.country")},
    ),
    "requiring an attribute": (lambda s: s["required"].append("subject"), {("required", "subject")}),
    "removing an attribute": (lambda s: s["properties"].pop("actor"), {("removed", "actor")}),
    "retyping": (in_purchase(number={"type": "integer"}), {("retyped", "data.number")}),
    "another format": (in_purchase(did_id={"format": "uri"}), {("retyped", "data.did_id")}),
    "no longer null": (
        lambda s: data(s, "DidPurchased")["properties"]["area"]["anyOf"].pop(),
        {("retyped", "data.area")},
    ),
    "one type more": (
        lambda s: data(s, "DidPurchased")["properties"]["area"]["anyOf"].append({"type": "integer"}),
        {("retyped", "data.area")},
    ),
    "an enum value less": (
        in_purchase(number_type={"enum": ["local", "national", "mobile"]}),
        {("narrowed", "data.number_type")},
    ),
    "an enum value less, in a list": (
        lambda s: data(s, "DidPurchased")["properties"]["features"]["items"]["enum"].remove("fax"),
        {("narrowed", "data.features[]")},
    ),
    "an enum value less, beside null": (
        lambda s: data(s, "DidPurchased")["properties"]["billing_period"]["anyOf"][0]["enum"].remove(12),
        {("narrowed", "data.billing_period")},
    ),
    "a new enum": (in_purchase(account={"enum": ["master"]}), {("narrowed", "data.account")}),
    "a tighter pattern": (in_purchase(number={"pattern": "^\\+353"}), {("narrowed", "data.number")}),
    "a new bound": (in_purchase(number={"maxLength": 9}), {("narrowed", "data.number")}),
    "a tighter bound": (in_purchase(account={"maxLength": 9}), {("narrowed", "data.account")}),
    "a tighter bound beside null": (
        lambda s: data(s, "DidPurchased")["properties"]["billing_cycles"]["anyOf"][0].update(minimum=1),
        {("narrowed", "data.billing_cycles")},
    ),
    "a tighter part": (
        tighten_reference,
        {("narrowed", "data.price.setup.amount")},
    ),
    "another default": (in_purchase(acquired={"default": "external"}), {("redefined", "data.acquired")}),
    "a new rule": (
        lambda s: data(s, "DidPurchased")["allOf"].append({"required": ["region"]}),
        {("narrowed", "data")},
    ),
    "closing the data": (
        lambda s: data(s, "DidPurchased").update(additionalProperties=False),
        {("narrowed", "data")},
    ),
}

HARMLESS: dict[str, Edit] = {
    "nothing": lambda _: None,
    "an optional field": in_purchase(campaign={"type": "string"}),
    "an optional attribute": lambda s: s["properties"].update(partner={"type": "string"}),
    "an enum value more": lambda s: data(s, "DidPurchased")["properties"]["features"]["items"]["enum"].append(
        "tv"
    ),
    "a wider bound": in_purchase(account={"maxLength": 1000}),
    "other words": in_purchase(account={"description": "Another description."}),
    "one rule less": lambda s: data(s, "DidPurchased")["allOf"].pop(),
}


@pytest.mark.parametrize(("edit", "expected"), BREAKS.values(), ids=BREAKS)
def test_a_breaking_change_is_found(edit: Edit, expected: set[tuple[str, str]]) -> None:
    """It is reported with its kind and its path."""
    assert found("did.purchased", edit) >= expected


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_change_is_not_reported(edit: Edit) -> None:
    """Such a change is allowed within version 1."""
    assert found("did.purchased", edit) == set()


def test_a_missing_topic_is_a_removal() -> None:
    """A new topic is not reported."""
    fewer = {topic: schema for topic, schema in RELEASED.items() if topic != "did.removed"}
    (change,) = breaking_changes({"topics": RELEASED}, {"topics": fewer})
    assert (change.kind, change.path) == ("removed", "did.removed")
    assert breaking_changes({"topics": fewer}, {"topics": RELEASED}) == []


def test_an_action_that_is_missing_from_a_union_is_found() -> None:
    """Parameters that an adapter knows must stay possible."""
    gone = found(
        "provisioning.commands",
        lambda s: data(s, "CarrierCommandIssued")["properties"]["parameters"]["anyOf"].pop(0),
    )
    assert ("removed", "data.parameters.features") in gone


def test_two_schemas_can_be_compared_directly() -> None:
    """The arguments are two schemas instead of two tables of topics."""
    schema = RELEASED["did.removed"]
    assert breaking_changes(schema, schema) == []
    (change,) = breaking_changes(schema, {**schema, "required": [*schema["required"], "subject"]})
    assert str(change) == "$.subject: required: was optional or unknown"
