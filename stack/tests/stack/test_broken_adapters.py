"""The conformance run on the embedded Kafka finds what is broken. `make faults` tries every way of being broken."""

import os

import pytest
from harness.broken_adapters import DEFECTS, OTHERS, judged_on_kafka

pytestmark = pytest.mark.faults

LONG = bool(os.environ.get("DIDFLOW_FAULT_MINUTES"))
SOME = ("no_memory", "wrong_key", "forgets_at_restart")


@pytest.mark.parametrize(("defect", "check", "line"), [one for one in DEFECTS if LONG or one[0] in SOME])
async def test_an_adapter_that_is_broken_on_purpose_fails_with_a_clear_line(
    defect: str, check: str, line: str
) -> None:
    """Only the check that the defect touches is run."""
    found = await judged_on_kafka(defect, check, *OTHERS.get(defect, ()))
    assert line in found[check].problem
    assert found[check].outcome == "failed"
