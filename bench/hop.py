"""A bare hop, as a process: what comes from one topic goes to the next, and nothing else is done."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.run import Run, Took, main


async def run_hop(run: Run) -> Took:
    """Pass records on from `<prefix><n>` to `<prefix><n+1>`, n being `messages`, until terminated."""
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
        # Nobody waits for the acknowledgement, but somebody must hold the future.
        waiting.add(future)
        future.add_done_callback(waiting.discard)
    return Took(messages=0, seconds=1)


if __name__ == "__main__":
    main(run_hop)
