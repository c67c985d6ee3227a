"""The whole demo as a person starts it, with every worker killed."""

import os
import subprocess
from uuid import uuid4

import psutil

from didflow.demo.examples import read
from didflow.processes import script
from didflow.services import SERVICES


def demo(*options: str) -> "subprocess.CompletedProcess[str]":
    """Run the demo. Its exit code must be 0, and none of its workers may be left: they inherit its environment."""
    mark = uuid4().hex
    done = subprocess.run(
        [script("didflow"), "demo", *options],
        env={**os.environ, "DEMO_OF_THIS_TEST": mark},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]
    left = psutil.process_iter(["environ", "cmdline"])
    assert [
        p.info["cmdline"] for p in left if (p.info["environ"] or {}).get("DEMO_OF_THIS_TEST") == mark
    ] == []
    return done


def test_every_number_ends_as_the_file_expects_although_each_worker_is_killed() -> None:
    """Steps with their times, one line that explains the circles, a row for each line of the file, and the result."""
    lines = demo("--kill", "all").stdout.splitlines()
    legends = [line for line in lines if line.startswith("● active ")]
    assert len(legends) == 1
    assert "  0.0 s  starting Kafka and PostgreSQL" in lines
    assert sum("kill -9 of" in line for line in lines) == len(SERVICES)
    assert sum(line.endswith("as expected") for line in lines) == len(read().purchases)
    assert lines[-1].startswith("PASSED in ")


def test_a_file_with_another_expectation_fails(tmp_path) -> None:
    """A mistake in the file is an error before anything starts."""
    (tmp_path / "purchases.jsonl").write_text('{"event": {}, "expect": {}}')
    command = [script("didflow"), "demo", "--file", str(tmp_path / "purchases.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("didflow: bad_input: ")
