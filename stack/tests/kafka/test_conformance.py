"""`didflow adapter test` passes with every adapter and every example, also on a real Kafka."""

import asyncio
import os
import shlex
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from harness.didww_api import API_KEY, didww_api
from harness.example_adapters import PROGRAMS
from harness.processes import Processes
from harness.rest_carrier import configuration_file, free_port

from didflow.conformance.convention import number
from didflow_webhooks import new_secret

SCRIPTS = Path(sysconfig.get_path("scripts"))
SECONDS = 150


async def conformance(
    carrier: str, program: Sequence[str], *options: str, env: Mapping[str, str] = os.environ
) -> str:
    """Return what the conformance run prints, or nothing if all its checks passed."""
    run = await asyncio.create_subprocess_exec(
        *(str(SCRIPTS / "didflow"), "adapter", "test", carrier, "--command", shlex.join(program), *options),
        env=os.environ | env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(SECONDS):
        output, _ = await run.communicate()
    return output.decode() if run.returncode else ""


@pytest.mark.builds_go
async def test_every_adapter_and_every_example_passes_the_conformance_run(
    kafka: str, topics: str, processes: Processes, tmp_path: Path
) -> None:
    """Repeats, order, slow commands, a kill in the middle. All run at once, because a run mostly waits.

    The generic HTTP adapter gets results by webhook, from a carrier that lives on while the adapter is killed. The
    adapter of DIDWW runs against a server that was written from the documentation of DIDWW's API.
    """
    http, program = rest_carrier(processes, tmp_path)
    log = ("--executions", str(tmp_path / "simulator.jsonl"))
    simulator = [str(SCRIPTS / "didflow-simulator")]
    on_kafka = ("--kafka", kafka, "--topic-prefix", topics, "--only", "restart", "--only", "results")
    with didww_api() as api:
        didww = {
            "DIDFLOW_DIDWW_API_KEY": API_KEY,
            "DIDFLOW_DIDWW_URL": api.url,
            "DIDFLOW_DIDWW_CARRIER": "acme",
        }
        runs = {
            "simulator": conformance("simulator", simulator, *log),
            "simulator on Kafka": conformance("simulator", simulator, *on_kafka),
            "http": conformance(
                "rest", program, "--executions", str(tmp_path / "executions.jsonl"), env=http
            ),
            "didww": conformance("acme", [str(SCRIPTS / "didflow-didww")], "--voice-only", env=didww),
        } | {language: example(language, tmp_path / language) for language in PROGRAMS}
        reports = dict(zip(runs, await asyncio.gather(*runs.values(), return_exceptions=True), strict=True))
    missing = [report for report in reports.values() if isinstance(report, pytest.skip.Exception)]
    assert {name: report for name, report in reports.items() if report and report not in missing} == {}
    trunks = [name for kind, name in api.written if kind == "voice_in_trunks"]
    assert len(trunks) == 1
    assert api.writes_of(number(2).removeprefix("+")) == 1  # the block of the check `duplicate`
    if missing:
        raise missing[0]


async def example(language: str, outcomes: Path) -> str:
    """Run an example that remembers its outcomes in a folder. The others run while it is built."""
    program = await asyncio.to_thread(PROGRAMS[language])
    return await conformance("acme", program, env={"DIDFLOW_OUTCOMES": str(outcomes)})


def rest_carrier(processes: Processes, folder: Path) -> tuple[dict[str, str], list[str]]:
    """Start the carrier with an HTTP API. Return the variables and the command of its adapter."""
    carrier_port, webhook_port = free_port(), free_port()
    env = {"CARRIER_TOKEN": "t", "CARRIER_WEBHOOK_SECRET": new_secret(), "CALLBACK_KEY": f"{'k' * 43}="}
    file = configuration_file(folder, carrier_port, webhook_port)
    carrier = [str(SCRIPTS / "didflow-http-carrier"), "--port", str(carrier_port), "--any-number"]
    carrier += ["--executions", str(folder / "executions.jsonl"), "--asynchronous", "activate"]
    processes.start("carrier", [*carrier, "--delay-ms", "50"], env=env)
    return env, [str(SCRIPTS / "didflow-http-adapter"), "run", str(file)]
