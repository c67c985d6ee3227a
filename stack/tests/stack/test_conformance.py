"""The conformance run: an adapter that conforms passes, and each one that is broken on purpose fails."""

import os
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from harness.processes import Processes
from harness.rest_carrier import configuration_file, free_port
from harness.small_adapter import SmallAdapter

from didflow.conformance.checks import CHECKS
from didflow.conformance.commands import Commands
from didflow.conformance.exchange import exchange
from didflow.conformance.run import Run, Verdict, verdicts
from didflow.conformance.servers import broker
from didflow_webhooks import new_secret

SLOW_S = 0.6


class Executed:
    """The log of executions of the small adapter."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def commands(self) -> Sequence[Any]:
        return self._adapter.executed


async def judged(defect: str, *only: str, log: bool = False) -> dict[str, Verdict]:
    """Run the checks on the small adapter with this defect."""
    async with broker(None, "") as settings, exchange(settings) as opened:
        adapter = SmallAdapter(settings.kafka, defect, SLOW_S)
        await adapter.start()
        run = Run(
            commands=Commands("small"),
            exchange=opened,
            adapter=adapter,
            log=Executed(adapter) if log else None,  # type: ignore[arg-type]
            patience_s=1.5,
            start_s={"silent": 2.0, "wrong_source": 2.0, "commits_first": 5.0}.get(defect, 15.0),
            slow_s=SLOW_S,
        )
        try:
            return {verdict.check.name: verdict async for verdict in verdicts(run, CHECKS, only)}
        finally:
            await adapter.stop()


async def test_an_adapter_that_conforms_passes_every_check() -> None:
    """It has no note either."""
    found = await judged("", log=True)
    assert {name: verdict.problem for name, verdict in found.items() if verdict.problem} == {}
    assert list(found) == [check.name for check in CHECKS]
    assert [verdict.notes for verdict in found.values() if verdict.notes] == []


@pytest.mark.parametrize(
    ("defect", "check", "line"),
    [
        ("silent", "answers", "The first command has 0 of 1 results after 2 s."),
        ("no_memory", "duplicate", "A command that came again was done again"),
        ("ignores_repeats", "duplicate", "The same record again has 1 of 2 results"),
        ("retryable_as_final", "retryable", "says that the failure is final"),
        ("remembers_failures", "retryable", "The second attempt was answered with carrier_unavailable."),
        ("no_retry_after", "rate-limited", "has no retry_after_s"),
        ("final_as_retryable", "final", "failed with retryable true"),
        ("dies_of_garbage", "garbage", "after records that are no commands has 0 of 1 results"),
        ("answers_others", "garbage", "A command for the carrier not-small was answered."),
        ("strict", "new-fields", "with fields that are not known has 0 of 1 results"),
        ("one_at_a_time", "slow", "6 of 6 commands were answered after it"),
        ("unordered", "order", "in another order than its commands"),
        ("remembers_one", "reorder", "An older command that came again after a newer one was done again"),
        ("two_at_once", "late", "whose next attempt came while it was executed was done again"),
        ("drops_late", "late", "A late command has 1 of 2 results"),
        ("forgets_at_restart", "restart", "answered before the kill and came again after it was done again"),
        ("commits_first", "restart", "The command that was executed during the kill has 0 of 1 results"),
        ("wrong_key", "results", "The key of a result is b'key'. It must be the number."),
        ("wrong_cause", "results", "The causationid of a result is not the event id of its command."),
        ("wrong_account", "results", "A result has another account than its command."),
        ("wrong_attempt", "results", "A result has the attempt 7, which was not sent."),
        ("wrong_source", "answers", "unexpected_source"),
        ("same_id", "results", "Several results have the same event id."),
        ("no_code", "results", "A failure has no code."),
    ],
)
async def test_an_adapter_that_is_broken_on_purpose_fails_with_a_clear_line(
    defect: str, check: str, line: str
) -> None:
    """The check that asks for it fails. Only checks that the defect touches are run."""
    beside = {"same_id": ["actions"], "no_code": ["final"]}.get(defect, [])
    found = await judged(defect, check, *beside)
    assert line in found[check].problem
    assert found[check].outcome == "failed"


async def test_a_carrier_without_references_needs_the_log_of_executions(monkeypatch: Any) -> None:
    """Without both, nobody could see that a command was done twice."""
    execute = SmallAdapter._execute

    async def without_reference(self: Any, data: Any) -> Any:
        outcome = await execute(self, data)
        outcome.pop("carrier_reference", None)
        return outcome

    monkeypatch.setattr(SmallAdapter, "_execute", without_reference)
    assert "there is no log of executions" in (await judged("", "duplicate"))["duplicate"].problem
    assert (await judged("", "duplicate", log=True))["duplicate"].outcome == "ok"
    found = await judged("no_memory", "duplicate", log=True)
    assert "was done 2 times, says the log of executions" in found["duplicate"].problem


def didflow(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    scripts = sysconfig.get_path("scripts")
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    program = [str(Path(scripts) / "didflow"), "adapter", "test", *arguments]
    return subprocess.run(
        program,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, **env},
    )


def test_the_simulator_is_started_killed_and_passes(tmp_path: Path) -> None:
    """The command line prints JSON and exits with 0. The log says that nothing was executed twice."""
    log = str(tmp_path / "executions.jsonl")
    ended = didflow("simulator", "--command", "didflow-simulator", "--executions", log, "--json")
    assert {one["check"]: one["problem"] for one in orjson.loads(ended.stdout) if one["problem"]} == {}
    assert ended.returncode == 0


def test_the_generic_http_adapter_passes_with_a_carrier_that_reports_by_webhook(
    tmp_path: Path, processes: Processes
) -> None:
    """The carrier lives on while the adapter is killed. Its own log says that nothing was done twice."""
    carrier_port, webhook_port = free_port(), free_port()
    executions = tmp_path / "executions.jsonl"
    env = {"CARRIER_TOKEN": "t", "CARRIER_WEBHOOK_SECRET": new_secret(), "CALLBACK_KEY": f"{'k' * 43}="}
    file = configuration_file(tmp_path, carrier_port, webhook_port)
    scripts = Path(sysconfig.get_path("scripts"))
    carrier = [str(scripts / "didflow-http-carrier"), "--port", str(carrier_port), "--any-number"]
    carrier += ["--executions", str(executions), "--asynchronous", "activate", "--delay-ms", "50"]
    processes.start("carrier", carrier, env=env)
    command = f"{scripts / 'didflow-http-adapter'} run {file}"
    ended = didflow("rest", "--command", command, "--executions", str(executions), "--json", **env)
    assert {one["check"]: one["problem"] for one in orjson.loads(ended.stdout) if one["problem"]} == {}
    assert ended.returncode == 0


def test_an_adapter_that_exits_is_shown_with_its_last_lines() -> None:
    """The other checks are not run. The exit code is 1."""
    ended = didflow("small", "--command", "sh -c 'echo no carrier; exit 3'")
    assert "FAILED   answers" in ended.stdout
    assert "exited with code 3. Its last lines:\nno carrier" in ended.stdout
    assert "not run  duplicate" in ended.stdout
    assert ended.returncode == 1
