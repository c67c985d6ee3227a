"""An adapter on topics that it cannot use."""

import secrets
import sysconfig
from pathlib import Path

from harness.processes import Processes, until
from harness.topics import create_topics, delete_topics


async def test_an_adapter_does_not_start_on_topics_with_different_partitions(
    kafka: str, processes: Processes
) -> None:
    """It would not find its former results, and would do commands twice. One line names both topics."""
    prefix = f"t{secrets.token_hex(4)}."
    commands, results = f"{prefix}provisioning.commands", f"{prefix}provisioning.results"
    await create_topics(kafka, [commands], partitions=3)
    await create_topics(kafka, [results], partitions=2)
    try:
        program = [str(Path(sysconfig.get_path("scripts")) / "didflow-simulator")]
        env = {"DIDFLOW_KAFKA": kafka, "DIDFLOW_TOPIC_PREFIX": prefix}
        process = processes.start("adapter", program, env=env)
        await until(lambda: process.exit_code is not None, within=20, what="the end")
        assert process.exit_code == 78
        assert f"{commands} has 3 partitions and {results} has 2 partitions." in process.log.read_text()
    finally:
        await delete_topics(kafka, [commands, results])
