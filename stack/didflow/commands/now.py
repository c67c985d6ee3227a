"""`didflow now`: prints the stack's time, for the `time` of events that you publish."""

from didflow.commands.options import Data, Postgres, installation_of, run
from didflow.console import Screen
from didflow.installation import Installation

# ruff: noqa: PLC0415 - each command loads only what it runs


def now(data: Data = None, postgres: Postgres = None) -> None:
    """Print the time of the services: ISO 8601 in UTC. It differs from the machine's after `didflow clock advance`."""
    Screen().line(run(_now(installation_of(data, postgres=postgres))))


async def _now(installation: Installation) -> str:
    from didflow import movable_clock

    name, dsn = next(iter(installation.databases().items()))
    (reading,) = await movable_clock.show({name: dsn})
    return movable_clock.as_iso(reading.now)
