"""The demo's judge: green only when everything is as the file says."""

from dataclasses import replace
from typing import Any

import pytest

from didflow.demo.examples import Examples, Purchase
from didflow.demo.results import Found, judge, unexpected


def line(did: str, expect: dict[str, Any], *, id: str = "", **then: Any) -> Purchase:  # noqa: A002
    data = {"did_id": did, "number": f"+{did}", "account": "master/acme"}
    event = {"id": id or did, "source": "/orders/acme", "data": data}
    return Purchase.model_validate({"event": event, "then": then, "expect": expect})


ACTIVE = {"status": "active", "next_step": "none"}
EXAMPLES = Examples(
    purchases=(
        line("1", ACTIVE),
        line("2", ACTIVE, review="automatic"),
        line("1", {"duplicate": True}),
        line("3", {"refused": "number_taken"}),
        Purchase.model_validate({"raw": b"{", "expect": {"dead_letter": "not_json"}}),
    ),
    identities={},
    addresses={},
)


def did(status: str = "active", step: str = "none") -> dict[str, Any]:
    return {"number": "+1", "status": status, "next_step": {"action": step}}


FOUND = Found(
    numbers={"1": did(), "2": did()},
    refused={"3": "number_taken"},
    charged={"1": 1, "2": 1},
    automatic=frozenset({"2"}),
    dead_letters={"billing": {"not_json": 1}, "inventory": {"not_json": 1}},
    repeats={"billing": 1, "inventory": 3},
)


def test_all_as_expected_is_a_pass() -> None:
    """Every line has its end, and there is nothing beside it."""
    assert all(verdict.ok for verdict in judge(EXAMPLES, FOUND))
    assert unexpected(EXAMPLES, FOUND) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"numbers": {"2": did()}},
        {"numbers": {"1": did("not_configured", "await_carrier"), "2": did()}},
        {"numbers": {"1": did(step="assign_capacity"), "2": did()}},
        {"charged": {"1": 2, "2": 1}},
        {"refused": {}},
        {"refused": {"3": "duplicate_order"}},
        {"dead_letters": {"billing": {"not_json": 1}, "inventory": {}}},
        {"dead_letters": {"billing": {"not_json": 2}, "inventory": {"not_json": 2}}},
    ],
)
def test_a_line_that_ended_elsewhere_is_a_fail(changed: dict[str, Any]) -> None:
    """A missing number, another status or step, a second charge, no refusal or another, letters lost or doubled."""
    assert not all(verdict.ok for verdict in judge(EXAMPLES, replace(FOUND, **changed)))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"numbers": {"1": did(), "2": did(), "3": did()}}, "should not be"),
        ({"dead_letters": {"billing": {"not_json": 1, "defect": 1}}}, "defect"),
        ({"repeats": {"billing": 0}}, "billing counted 0 repeats"),
        ({"automatic": frozenset()}, "not approved automatically"),
    ],
)
def test_what_nobody_expected_is_a_fail(changed: dict[str, Any], said: str) -> None:
    """A refused number that is there, a defect, a repeat that was not counted, a person asked in vain."""
    (surprise,) = unexpected(EXAMPLES, replace(FOUND, **changed))
    assert said in surprise


def test_a_worker_that_was_started_again_need_not_have_counted() -> None:
    """Its counter began at zero; that the repeat had no effect is shown by the ledger."""
    assert unexpected(EXAMPLES, replace(FOUND, repeats={"billing": None})) == []
