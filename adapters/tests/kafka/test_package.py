"""The kit as a package: its wheel and that of the contracts are all that a carrier of fifty lines needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.carrier_topics import Topics
from harness.processes import Processes

ROOT = Path(__file__).parents[3]
CARRIER = '''
"""The adapter of the carrier acme, which has its own numbers only."""

from didflow_adapters.kit import AdapterSettings, Carrier, Failed, Outcome, Succeeded, run
from didflow_contracts.events import CarrierCommandIssued


class Acme:
    """Answers without a network."""

    name = "simulator"

    async def activate(self, command: CarrierCommandIssued, parameters: object) -> Outcome:
        if not command.number.startswith("+353"):
            return Failed(code="number_unknown", message="This is not a number of ours.")
        return Succeeded(carrier_reference=f"ACME-{command.command_id}")

    async def _accept(self, command: CarrierCommandIssued, parameters: object) -> Outcome:
        return Succeeded()

    suspend = resume = release = set_voice = set_capacity = set_sms = _accept


if __name__ == "__main__":
    carrier: Carrier = Acme()
    run([carrier], AdapterSettings())
'''


def uv(*arguments: str, **variables: str) -> None:
    """Run uv without the network. The locked packages are in its cache, because the tests run with them."""
    program = shutil.which("uv", path=f"{ROOT / '.uv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert program is not None, "make installs uv in .uv"
    environment = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")
    }
    done = subprocess.run(
        [program, "--offline", "--quiet", *arguments],
        cwd=ROOT,
        env=environment | {"UV_COMPILE_BYTECODE": "0"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def test_a_carrier_runs_with_the_wheels_of_the_kit_and_the_contracts_alone(
    kafka_topics: Topics, new_command: Any, processes: Processes, tmp_path: Path
) -> None:
    """In a new environment without any other package of this repository. It is typed, and its log has its version."""
    wheels, environment = tmp_path / "wheels", tmp_path / "environment"
    for name in ("didflow-contracts", "didflow-webhooks", "didflow-adapters"):
        uv("build", "--wheel", "--package", name, "--out-dir", str(wheels))
    uv("venv", "--python", sys.executable, str(environment))
    python = environment / "bin" / "python"
    only = ("--package", "didflow-adapters", "--no-dev", "--no-install-workspace")
    uv("sync", "--frozen", *only, UV_PROJECT_ENVIRONMENT=str(environment))
    uv("pip", "install", "--no-deps", "--python", str(python), *map(str, wheels.glob("*.whl")))
    uv("pip", "check", "--python", str(python))
    (tmp_path / "acme.py").write_text(CARRIER)
    env = {
        "DIDFLOW_KAFKA": kafka_topics.kafka,
        "DIDFLOW_TOPIC_PREFIX": kafka_topics.prefix,
        "PYTHONPATH": "",
    }
    process = processes.start("acme", [str(python), "-I", str(tmp_path / "acme.py")], env=env)
    await kafka_topics.publish(new_command(), new_command("release", "+442079460018"))
    await kafka_topics.publish(new_command(number="+442079460019"))
    outcomes = {data.number: (data.outcome, data.code) for data in await kafka_topics.receive(3)}
    assert outcomes == {
        "+35319609036": ("succeeded", None),
        "+442079460018": ("succeeded", None),
        "+442079460019": ("failed", "number_unknown"),
    }
    assert await process.stop() == 0
    assert '"version": "0.1.0", "event": "adapter started"' in process.log.read_text()
    (packages,) = environment.glob("lib/python*/site-packages")
    assert (packages / "didflow_adapters" / "py.typed").exists()
    assert "# Carrier adapters" in (packages / "didflow_adapters-0.1.0.dist-info" / "METADATA").read_text()
    listed = sorted(path.name for path in packages.glob("didflow*") if path.is_dir())
    assert [name for name in listed if not name.endswith(".dist-info")] == [
        "didflow_adapters",
        "didflow_contracts",
        "didflow_webhooks",
    ]
