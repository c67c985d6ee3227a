"""The whole demo as a person starts it: once undisturbed, and once with every worker killed during the run."""

import json
import subprocess

import psutil
import pytest

from didflow.demo.examples import read
from didflow.processes import script
from didflow.services import SERVICES


@pytest.mark.parametrize("options", [(), ("--kill", "all")], ids=["as it is", "workers killed"])
def test_every_number_ends_as_the_file_expects(options: tuple[str, ...]) -> None:
    """The exit code is 0, dead letters and repeats are counted, and no process is left."""
    command = [script("didflow"), "demo", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]
    said = json.loads(done.stdout)
    assert said["passed"]
    assert len(said["lines"]) == len(read().purchases)
    assert all(line["ok"] for line in said["lines"])
    assert said["dead_letters"] == {name: {"not_json": 1} for name in SERVICES}
    assert sum(line.get("status") == "active" for line in said["lines"]) >= 20
    assert not [p for p in psutil.process_iter(["cmdline"]) if command[-1] in (p.info["cmdline"] or [])]


def test_a_file_with_another_expectation_fails(tmp_path) -> None:
    """A mistake in the file is an error before anything starts."""
    (tmp_path / "purchases.jsonl").write_text('{"event": {}, "expect": {}}')
    command = [script("didflow"), "demo", "--file", str(tmp_path / "purchases.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("didflow: bad_input: ")
