"""Items for the jobs of the four services, and what each job does to each of its items.

An item is a copy of one DID that the service has made from real events. Copies are written by one statement, so 100,000
of them take seconds.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from faults.example_events import ExampleDid
from faults.job_kinds import RENEW_ALL, RenewAll

from didflow_chassis.decision import Caller
from didflow_chassis.records import Record
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.events.carrier import Endpoint
from didflow_contracts.ids import uuid7
from didflow_inventory.jobs import Rebuild
from didflow_provisioning.domain.commands import SetVoice
from didflow_provisioning.domain.targets.commands import CreateVoiceTrunk
from didflow_provisioning.domain.targets.job_kinds import REPLACE_VOICE_TRUNK, Move
from didflow_verification.domain.catalogue_change import RECHECK_DIDS, Recheck

FIRST: Final = 8_000_000
"""The last seven digits of the first item's number. The numbers of purchases are lower."""
PREFIX: Final = "+44207"
COPIED: Final = 100_000
"""How many items one statement writes. More take longer than a statement may."""
ELSEWHERE: Final = "+1212"
"""Numbers of another country than the items."""
IS_ITEM: Final = f"number >= '{PREFIX}{FIRST}' AND number < '+44208'"
OPERATOR: Final = Caller(subject="faults", account="master", role="operator")
TEMPLATE: Final = ExampleDid(name="template", number=f"{PREFIX}0000001", begin=datetime.now(UTC))
"""The DID of which each item is a copy."""

_WRITTEN: Final = """
SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER'
"""
"""The columns that PostgreSQL does not compute itself."""
_COPY: Final = """
INSERT INTO {table} ({written})
SELECT {values} FROM {table} t, generate_series($1::bigint, $1::bigint + $2 - 1) AS s (n) WHERE t.number = $3
"""
_NUMBER: Final = f"'{PREFIX}' || n"
_DID_ID: Final = "md5('item' || n)::uuid"
_OF_DID: Final = {"number": _NUMBER, "did_id": _DID_ID}

_LINES: Final = (
    "SELECT number, count(*) AS lines FROM {table} WHERE {condition} AND " + IS_ITEM + " GROUP BY number"
)
_ON_ONE_TRUNK: Final = f"""
WITH most_used AS (SELECT voice FROM routings WHERE {IS_ITEM} GROUP BY voice ORDER BY count(*) DESC LIMIT 1),
    moved AS (UPDATE routings r SET voice = m.voice FROM most_used m WHERE {IS_ITEM} AND r.voice <> m.voice)
SELECT (voice -> 'delivery' ->> 'id')::uuid AS trunk_id FROM most_used
"""

Act = Callable[[ServiceOnPostgres], Awaitable[Any]]


async def _nothing(_: ServiceOnPostgres) -> None:
    """Leave the template as it is."""


@dataclass(frozen=True, kw_only=True)
class JobItems:
    """The items of one service and the job over them.

    `topics` are those on which a purchase is published, with the sequence of the event; `answer` is the topic on which
    the service answers it. `tables` are copied for each item, with their columns that differ; the first one has the
    main states. `template(service)` completes the DID that is copied. `prepare(service)` is called before each job and
    returns its parameters. `published` are the topics
    with one event for each item. `lines` selects the number and the count of the lines that the job adds for each item.
    `covers_purchases` is True if the job is also about the DIDs of purchases, which it leaves unchanged. `purchased` is
    the prefix of their numbers.
    """

    service: str
    topics: Mapping[str, int | None]
    answer: str
    tables: Mapping[str, Mapping[str, str]]
    kind: str
    prepare: Act
    published: tuple[str, ...]
    template: Act = _nothing
    lines: str | None = None
    covers_purchases: bool = False
    purchased: str = PREFIX

    @property
    def main_table(self) -> str:
        """The table of the main states."""
        return next(iter(self.tables))

    def purchase(self, did: ExampleDid) -> Sequence[Record]:
        """Return the events of a purchase that the service receives."""
        own = {"did.purchased": {"country": None, "area": None, "order_id": did.name}}
        topics = enumerate(self.topics.items())
        return [did.event(n, topic, sequence, **own.get(topic, {})) for n, (topic, sequence) in topics]

    async def fill(self, service: ServiceOnPostgres, count: int) -> None:
        """Make the template from its events, copy it and remove it. The events about it are not published."""
        await service.stage.records(self.purchase(TEMPLATE))
        await self.template(service)
        await service.fetch("DELETE FROM outbox")
        for table, columns in self.tables.items():
            written = {
                row["column_name"]: f't."{row["column_name"]}"'
                for row in await service.fetch(_WRITTEN, table)
            }
            values = ", ".join((written | columns).values())
            names = ", ".join(f'"{name}"' for name in written)
            statement = _COPY.format(table=table, written=names, values=values)
            for first in range(FIRST, FIRST + count, COPIED):
                await service.fetch(statement, first, min(COPIED, FIRST + count - first), TEMPLATE.number)
            await service.fetch(f"DELETE FROM {table} WHERE number = $1", TEMPLATE.number)
            await service.fetch(f"ANALYZE {table}")


def is_item(number: str) -> bool:
    """Return True if a number is one of an item."""
    return number.startswith(PREFIX) and int(number.removeprefix(PREFIX)) >= FIRST


async def _renewals(_: ServiceOnPostgres) -> RenewAll:
    return RenewAll(TEMPLATE.name)


async def _outdated_listings(service: ServiceOnPostgres) -> Rebuild:
    """Let the stored listings be those of an earlier release, and the published status too."""
    await service.fetch(f"UPDATE dids SET status = 'blocked', published_status = 'blocked' WHERE {IS_ITEM}")
    return Rebuild()


async def _outdated_plans(service: ServiceOnPostgres) -> Recheck:
    """Let the registrations have timers that the present catalogue does not ask for."""
    await service.fetch(f"UPDATE registrations SET due_at = now() + interval '1 year' WHERE {IS_ITEM}")
    return Recheck(country="GB")


async def _another_trunk(service: ServiceOnPostgres) -> Move:
    """Create a trunk that takes the place of the one that most items are on, and move the others to that one."""
    (row,) = await service.fetch(_ON_ONE_TRUNK)
    return Move(former=row["trunk_id"], by=await _trunk(service))


async def _trunk_of_template(service: ServiceOnPostgres) -> None:
    await service.run(
        SetVoice(
            entity_id=TEMPLATE.did_id,
            subject=TEMPLATE.number,
            caller=OPERATOR,
            next_command_id=uuid7(),
            voice_trunk_id=await _trunk(service),
        )
    )


async def _trunk(service: ServiceOnPostgres) -> UUID:
    endpoint = Endpoint(kind="sip", address="sip:faults.example.com")
    trunk_id = uuid7()
    created = CreateVoiceTrunk(
        entity_id=trunk_id,
        subject="",
        caller=OPERATOR,
        account="master",
        name=str(trunk_id),
        endpoints=(endpoint,),
    )
    await service.run(created)
    return trunk_id


ITEMS: Final[Mapping[str, JobItems]] = {
    items.service: items
    for items in (
        JobItems(
            service="inventory",
            topics={"did.purchased": None, "verification.not_required": 1},
            answer="did.changed",
            tables={"dids": _OF_DID},
            kind="rebuild",
            prepare=_outdated_listings,
            published=("did.status_changed",),
            lines=_LINES.format(table="history", condition="type = 'job.rebuild'"),
            covers_purchases=True,
        ),
        JobItems(
            service="verification",
            topics={"did.purchased": None},
            answer="verification.not_required",
            tables={"registrations": _OF_DID},
            kind=RECHECK_DIDS,
            prepare=_outdated_plans,
            published=(),
            purchased=ELSEWHERE,
        ),
        JobItems(
            service="billing",
            topics={"did.purchased": None, "verification.not_required": 1},
            answer="term.changed",
            tables={"terms": _OF_DID},
            kind=RENEW_ALL,
            prepare=_renewals,
            published=("term.changed", "ledger.posted"),
            lines=_LINES.format(table="ledger", condition="kind = 'renewal'"),
        ),
        JobItems(
            service="provisioning",
            topics={"did.purchased": None, "did.changed": 1},
            answer="routing.changed",
            tables={
                "routings": _OF_DID,
                "number_queues": {"number": _NUMBER, "did_ids": f"jsonb_build_array({_DID_ID})"},
            },
            template=_trunk_of_template,
            kind=REPLACE_VOICE_TRUNK,
            prepare=_another_trunk,
            published=("routing.changed",),
        ),
    )
}
"""The items of each service."""
