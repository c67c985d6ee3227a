"""What goes out for what came of an order."""

from datetime import UTC, datetime
from typing import Any

import pytest

from didflow_adapters.kit import Failed, Later, Succeeded
from didflow_adapters.kit.answers import answer
from didflow_contracts.envelope import decode, encode
from didflow_contracts.events import ResultReported

NOW = datetime(2026, 3, 1, 9, 1, tzinfo=UTC)


def test_a_success_echoes_the_order_and_names_it_as_its_cause(make_order: Any) -> None:
    """DID, number, account, command and attempt come back; the story goes on."""
    order = make_order(attempt=3)
    said = answer(order, Succeeded(carrier_reference="REF"), NOW)
    assert said is not None
    assert said.causationid == order.id
    assert said.correlationid == "story-1"
    assert said.source == "/carriers/simulator"
    for name in ("did_id", "number", "account", "command_id", "attempt"):
        assert getattr(said.data, name) == getattr(order.data, name)
    assert (said.data.outcome, said.data.carrier_reference, said.data.completed_at) == (
        "succeeded",
        "REF",
        NOW,
    )


def test_a_failure_says_its_code_and_whether_to_try_again(make_order: Any) -> None:
    """Code, message, retryable and how long to wait."""
    failed = Failed(code="rate_limited", message="slow down", retryable=True, retry_after_s=7)
    said = answer(make_order(), failed, NOW)
    assert said is not None
    data = said.data
    assert (data.outcome, data.code, data.message) == ("failed", "rate_limited", "slow down")
    assert (data.retryable, data.retry_after_s) == (True, 7)


def test_later_is_no_answer(make_order: Any) -> None:
    """What is reported by another way is not answered here."""
    assert answer(make_order(), Later(), NOW) is None


def test_every_answer_is_an_event_of_its_own(make_order: Any) -> None:
    """The same order answered twice is two events: only their content repeats."""
    order = make_order()
    first, second = (answer(order, Succeeded(), NOW) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert first.data == second.data


@pytest.mark.parametrize("code", ["", "x" * 5_000])
def test_whatever_a_carrier_says_the_result_can_be_read(make_order: Any, code: str) -> None:
    """Codes and messages beyond their bounds are cut, so that no answer is lost to its wording."""
    said = answer(make_order(), Failed(code=code, message="m" * 50_000), NOW)
    assert said is not None
    read = decode(encode(said), (), types={ResultReported.type(): ResultReported})
    assert read.data == said.data
