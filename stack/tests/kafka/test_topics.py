"""The topics on a real Kafka that the options name."""

import secrets

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from harness.topics import admin, delete_topics
from harness.topics import create_topics as create_named_topics

from didflow.errors import Missing
from didflow.topics import create_topics, topic_names
from didflow_chassis.settings import Settings, load

KEY = "compression.type"


def settings(kafka: str, prefix: str = "") -> Settings:
    return load(Settings, kafka=kafka, postgres="postgresql://a@h/d", topic_prefix=prefix, production=False)


@pytest.fixture
def prefix() -> str:
    return f"t{secrets.token_hex(4)}."


async def test_missing_topics_are_created_once(kafka: str, prefix: str) -> None:
    """Every topic and every dead letter topic gets twelve partitions. The second call creates nothing.

    The broker stores no record compressed, so that a small record is never a large one for its readers.
    """
    told = settings(kafka, prefix)
    made = await create_topics(told)
    try:
        assert set(made) == set(topic_names(prefix))
        assert await create_topics(told) == ()
        async with admin(kafka) as client:
            described = await client.describe_topics(list(made))
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in made]
            (answer,) = await client.describe_configs(resources)
        assert {len(topic["partitions"]) for topic in described} == {12}
        compression = {entry[1] for *_, entries in answer.resources for entry in entries if entry[0] == KEY}
        assert compression == {"uncompressed"}
    finally:
        await delete_topics(kafka, list(made))


async def test_topics_with_other_partitions_are_refused(kafka: str, prefix: str) -> None:
    """The events of one number would go to different workers. The error names the topics, and nothing is created."""
    name = f"{prefix}did.purchased"
    await create_named_topics(kafka, [name], partitions=3)
    try:
        with pytest.raises(Missing, match=r"did\.purchased 3"):
            await create_topics(settings(kafka, prefix))
        async with admin(kafka) as client:
            assert [one for one in await client.list_topics() if one.startswith(prefix)] == [name]
    finally:
        await delete_topics(kafka, [name])


async def test_a_kafka_that_does_not_answer_is_one_error_line() -> None:
    """The line has the address. There is no stack trace."""
    with pytest.raises(Missing, match=r"127\.0\.0\.1:1 does not answer"):
        await create_topics(settings("127.0.0.1:1"))
