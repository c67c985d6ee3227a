"""The check of all results of the run: what each of them says about its command."""

from collections import Counter
from collections.abc import Iterator

from didflow.conformance.exchange import Received
from didflow.conformance.run import CheckFailed, Run, shown


async def judge(run: Run) -> None:
    """Raise CheckFailed with the first mistake in the results of this run."""
    await run.exchange.receive()
    if run.exchange.bad:
        raise CheckFailed(
            f"a record that is none: {run.exchange.bad[0]}.",
            sent="the commands of this run",
            expected="results that are valid events",
        )
    for received in run.exchange.received:
        for mistake in mistakes(run, received):
            raise mistake
    results = {(one.event.id, one.data.model_dump_json()) for one in run.exchange.received}
    for event_id, times in Counter(event_id for event_id, _ in results).most_common(1):
        if times > 1:
            raise CheckFailed(
                f"{times} results with the event id {event_id}.",
                sent="the commands of this run",
                expected="each result has an event id of its own",
            )
    _references_must_differ(run)
    if any(one.partition != run.exchange.partition_of(one.data.number) for one in run.exchange.received):
        run.notes.append(
            "Results are in other partitions than murmur2 of the number. Their order is then not promised."
        )


def _references_must_differ(run: Run) -> None:
    """Raise CheckFailed if two numbers have the same reference and there is no log of executions.

    The run could then not see that a command was done twice.
    """
    numbers: dict[str, set[str]] = {}
    for data in (received.data for received in run.exchange.received):
        if data.carrier_reference is not None:
            numbers.setdefault(data.carrier_reference, set()).add(data.number)
    for reference, of in numbers.items():
        if len(of) > 1 and run.log is None:
            raise CheckFailed(
                f"{reference} for {len(of)} numbers.",
                sent="the commands of this run",
                expected="a carrier_reference of its own for each number, or a log of executions (--executions)",
            )


def mistakes(run: Run, received: Received) -> Iterator[CheckFailed]:
    """Yield each thing in a result that contradicts its command."""
    result = received.data
    attempts = [one for one in run.exchange.published if one.data.command_id == result.command_id]
    command = attempts[0]
    same = [one for one in attempts if one.data.attempt == result.attempt]
    sent = shown(same[0] if same else command)
    for name in ("did_id", "number", "account"):
        wanted, found = getattr(command.data, name), getattr(result, name)
        if found != wanted:
            yield CheckFailed(f"{name} {found}.", sent=sent, expected=f"a result with the {name} {wanted}")
    if received.key != command.subject.encode():
        yield CheckFailed(
            f"the key {received.key!r}.", sent=sent, expected="a result whose key is the number"
        )
    if not same:
        yield CheckFailed(
            f"the attempt {result.attempt}.", sent=sent, expected="a result with an attempt that was sent"
        )
    causes = [one.id for one in same or attempts]
    if received.event.causationid not in causes:
        wanted = " or ".join(dict.fromkeys(causes))
        expected = f"a result whose causationid is the event id of its command, {wanted}"
        yield CheckFailed(f"the causationid {received.event.causationid}.", sent=sent, expected=expected)
    if result.outcome == "failed" and result.code is None:
        yield CheckFailed("no code.", sent=sent, expected="a failure with a code")
