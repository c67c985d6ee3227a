"""The comparison of the demo: it passes only if everything ended as the file expects."""

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
    """Every line ended as expected, and nothing else was found."""
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
def test_a_line_with_another_end_is_a_failure(changed: dict[str, Any]) -> None:
    """A missing number, another status or step, a second charge, no refusal, or a wrong count of dead letters."""
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
def test_an_unexpected_fact_is_a_failure(changed: dict[str, Any], said: str) -> None:
    """A refused number in My Numbers, a defect, an uncounted repeat, an unnecessary review."""
    (surprise,) = unexpected(EXAMPLES, replace(FOUND, **changed))
    assert said in surprise


def test_a_restarted_worker_may_have_counted_fewer_repeats() -> None:
    """Its counter began at zero. The ledger shows that the repeat had no effect."""
    assert unexpected(EXAMPLES, replace(FOUND, repeats={"billing": None})) == []
