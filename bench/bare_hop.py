"""A bare hop as a process: it forwards the records of one topic to the next one and does nothing else."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.variant import Run, Took, main


async def run_hop(run: Run) -> Took:
    """Forward records from `<prefix><n>` to `<prefix><n+1>`, where n is `messages`, until terminated."""
    source, target = f"{run.prefix}{run.messages}", f"{run.prefix}{run.messages + 1}"
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=run.kafka,
        group_id=f"{run.prefix}hop-{run.messages}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    producer = AIOKafkaProducer(bootstrap_servers=run.kafka, acks="all", enable_idempotence=True, linger_ms=0)
    await producer.start()
    await consumer.start()
    waiting: set[asyncio.Future[object]] = set()
    async for record in consumer:
        future = await producer.send(target, record.value, key=record.key)
        # Nothing waits for the acknowledgement, but something must hold a reference to the future.
        waiting.add(future)
        future.add_done_callback(waiting.discard)
    return Took(messages=0, seconds=1)


if __name__ == "__main__":
    main(run_hop)
