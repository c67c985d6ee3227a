"""The timing of carriers comes from the settings and reaches every decision that sends a carrier command."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from didflow_chassis.settings import SettingsError, load
from didflow_provisioning.domain.timing import DEFAULT_TIMING, Timing
from didflow_provisioning.settings import ProvisioningSettings

CARRIERS = """{"simulator": {"deadline_s": 600, "first_pause_s": 30, "longest_pause_s": 60,
                             "give_up_s": {"activate": 3600}, "rate_per_s": 2.5, "concurrency": 4}}"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIDFLOW_KAFKA", "localhost:9092")
    monkeypatch.setenv("DIDFLOW_POSTGRES", "postgresql://localhost/provisioning")


def test_the_timing_of_a_carrier_is_read_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not given has its default: the end of other commands, and other carriers."""
    monkeypatch.setenv("DIDFLOW_CARRIERS", CARRIERS)
    timings = load(ProvisioningSettings).timings()

    assert timings.of("simulator") == Timing(
        answer_within=timedelta(minutes=10),
        first_pause=timedelta(seconds=30),
        longest_pause=timedelta(minutes=1),
        give_up_after={**DEFAULT_TIMING.give_up_after, "activate": timedelta(hours=1)},
        rate_per_s=2.5,
        concurrency=4,
    )
    assert timings.of("another") == DEFAULT_TIMING


def test_the_timing_of_carriers_can_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`DIDFLOW_CARRIERS_FILE` names a JSON file."""
    (tmp_path / "carriers.json").write_text(CARRIERS)
    monkeypatch.setenv("DIDFLOW_CARRIERS_FILE", str(tmp_path / "carriers.json"))

    assert load(ProvisioningSettings).timings().of("simulator").answer_within == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("carriers", "problem"),
    [
        ('{"a": {"deadline_s": 0}}', "DIDFLOW_CARRIERS[a][deadline_s]: "),
        ('{"a": {"dead_line_s": 1}}', "DIDFLOW_CARRIERS[a][dead_line_s]: "),
        ('{"a": {"rate_per_s": 0}}', "DIDFLOW_CARRIERS[a][rate_per_s]: "),
        ('{"a": {"concurrency": 1.5}}', "DIDFLOW_CARRIERS[a][concurrency]: "),
        ('{"a": {"give_up_s": {"explode": 1}}}', "DIDFLOW_CARRIERS[a][give_up_s]"),
        (
            '{"a": {"first_pause_s": 9, "longest_pause_s": 8}}',
            "Set first_pause_s to at most longest_pause_s.",
        ),
        ("{", "DIDFLOW_CARRIERS: is not JSON"),
    ],
)
def test_a_wrong_timing_is_a_problem_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, carriers: str, problem: str
) -> None:
    """The message names the variable, the carrier and the field."""
    monkeypatch.setenv("DIDFLOW_CARRIERS", carriers)

    with pytest.raises(SettingsError) as raised:
        load(ProvisioningSettings)

    assert problem in str(raised.value)


def test_a_decision_uses_the_timing_of_the_carrier(
    monkeypatch: pytest.MonkeyPatch, new_stage: Any, messages: Any
) -> None:
    """The deadline, the pause and the end of an activation are those of the settings."""
    monkeypatch.setenv("DIDFLOW_CARRIERS", CARRIERS)
    stage = new_stage(load(ProvisioningSettings))
    stage.process(messages.purchased(), messages.create_voice_trunk())
    stage.process(messages.did_changed(), messages.registration())
    stage.run_due_timers()
    (first,) = stage.issued()

    assert first.deadline - messages.start == timedelta(minutes=10)
    assert first.give_up_at - messages.start == timedelta(hours=1)

    stage.process(messages.failure(stage.open_command, retryable=True, code="carrier_unavailable"))
    assert timedelta(seconds=15) <= stage.open_command.next_at - messages.start <= timedelta(seconds=30)
