"""What is remembered of orders."""

from uuid import uuid4

import pytest

from didflow_adapters.kit import Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.memory import Memory


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (Succeeded(carrier_reference="REF"), True),
        (Failed(code="rejected"), True),
        (Failed(code="busy", retryable=True), False),
        (Later(), False),
    ],
)
def test_only_what_is_final_is_remembered(outcome: Outcome, kept: bool) -> None:
    """Success and final failure are answered again; what may pass is tried again."""
    memory, command_id = Memory(), uuid4()
    memory.keep(command_id, outcome)
    assert memory.recall(command_id) == (outcome if kept else None)


def test_the_oldest_is_forgotten_first() -> None:
    """The memory has a bound."""
    memory, ids = Memory(limit=2), [uuid4() for _ in range(3)]
    for command_id in ids:
        memory.keep(command_id, Succeeded())
    assert [memory.recall(command_id) is not None for command_id in ids] == [False, True, True]
