"""The conformance run on a real Kafka."""

import os
import subprocess
import sysconfig
from pathlib import Path


def test_the_simulator_passes_on_a_kafka_with_other_topics_than_those_of_an_installation(
    kafka: str, topics: str
) -> None:
    """The adapter gets the address and the prefix in its variables. After a kill, the run waits for its session."""
    scripts = sysconfig.get_path("scripts")
    ended = subprocess.run(
        [
            *(
                str(Path(scripts) / "didflow"),
                "adapter",
                "test",
                "simulator",
                "--command",
                "didflow-simulator",
            ),
            *("--kafka", kafka, "--topic-prefix", topics, "--only", "restart", "--only", "results"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
    )
    assert ended.stdout.splitlines()[-1] == "3 of 3 checks passed.", ended.stdout + ended.stderr
    assert ended.returncode == 0
