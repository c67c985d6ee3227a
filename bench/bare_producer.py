"""The bare producer: it sends the relay's records with the relay's settings from memory, as fast as possible."""

from bench.purchases import HEADERS
from bench.relay import TOPIC, VALUE
from bench.variant import Run, Stopwatch, Took, main
from didflow_chassis.kafka_clients import producer
from didflow_chassis.settings import Settings


async def run_producer(run: Run) -> Took:
    """Send records and wait until all are acknowledged."""
    settings = Settings(kafka=run.kafka, postgres=run.dsn, topic_prefix=run.prefix, production=False)
    keys = [f"+44207{number % 10_000:07d}".encode() for number in range(run.messages)]
    topic = run.prefix + TOPIC
    sender = producer(settings, "bench-producer")
    await sender.start()
    try:
        await sender.partitions_for(topic)
        watch = Stopwatch()
        watch.batch(run.messages)
        futures = [await sender.send(topic, VALUE, key=key, headers=HEADERS) for key in keys]
        for future in futures:
            await future
        return watch.took(published=run.messages)
    finally:
        await sender.stop()


if __name__ == "__main__":
    main(run_producer)
