"""The check of all results of the run: what each of them says about its command."""

from collections.abc import Iterator

from didflow.conformance.exchange import Received
from didflow.conformance.run import CheckFailed, Run


async def judge(run: Run) -> None:
    """Raise CheckFailed with the first mistake in the results of this run."""
    await run.exchange.receive()
    if run.exchange.bad:
        raise CheckFailed(f"A record on the topic of the results is no result: {run.exchange.bad[0]}")
    for received in run.exchange.received:
        for mistake in mistakes(run, received):
            raise CheckFailed(mistake)
    results = {(one.event.id, one.data.model_dump_json()) for one in run.exchange.received}
    if len({event_id for event_id, _ in results}) < len(results):
        raise CheckFailed("Several results have the same event id. Each needs one of its own.")
    if any(one.partition != run.exchange.partition_of(one.data.number) for one in run.exchange.received):
        run.notes.append(
            "Results are in other partitions than murmur2 of the number. Their order is then not promised."
        )


def mistakes(run: Run, received: Received) -> Iterator[str]:
    """Yield each thing in a result that contradicts its command."""
    result = received.data
    attempts = [one for one in run.exchange.published if one.data.command_id == result.command_id]
    command = attempts[0].data
    for name in ("did_id", "number", "account"):
        if getattr(result, name) != getattr(command, name):
            yield f"A result has another {name} than its command."
    if received.key != command.number.encode():
        yield f"The key of a result is {received.key!r}. It must be the number."
    same = [one for one in attempts if one.data.attempt == result.attempt]
    if not same:
        yield f"A result has the attempt {result.attempt}, which was not sent."
    if received.event.causationid not in {one.id for one in same or attempts}:
        yield "The causationid of a result is not the event id of its command."
    if result.outcome == "failed" and result.code is None:
        yield "A failure has no code."
