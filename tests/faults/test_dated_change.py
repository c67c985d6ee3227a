"""A dated change of the catalogue for many approved DIDs, beside purchases of others, with one worker."""

import time
from contextlib import AsyncExitStack
from datetime import timedelta

from faults.installation import Install, ready
from faults.job_items import ITEMS
from faults.job_run import purchases_of
from faults.reverified_dids import ADVANCE, COUNTRY, IN_DAYS, Published, fill, irish_rules, reverifying
from harness.processes import until
from harness.steady_purchases import steady_purchases

from didflow.services import service
from didflow_chassis.decision import Caller, Decided
from didflow_chassis.pacing import MAX_OUTBOX
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.events import VerificationExpiring
from didflow_contracts.ids import uuid7
from didflow_verification.domain.commands import LoadRules
from didflow_verification.domain.registration.lapse import WARNED_BEFORE

DIDS = 2_000
ROOM = MAX_OUTBOX + 200
"""A chunk of each kind of work, and the answers to purchases, may follow the last look at the outbox."""
OPERATOR = Caller(subject="faults", account="", role="operator")
STATE = "SELECT state FROM jobs"


class Watched(Published):
    """Notes when the last new event came."""

    last_at = 0.0

    def note(self, number: str, value: bytes) -> None:
        """Note an event and its instant."""
        before = self.heard
        super().note(number, value)
        if self.heard > before:
            self.last_at = time.perf_counter()


async def test_purchases_are_answered_while_many_dids_are_planned_and_warned(
    install: Install, exits: AsyncExitStack
) -> None:
    """The first purchase of each phase is answered before the phase ends. Each DID has one warning."""
    installation = await install("verification")
    parts = installation.parts
    dsn = parts.postgres["verification"]
    await fill("verification", dsn, DIDS)
    verification = await exits.enter_async_context(
        ServiceOnPostgres.open(service("verification"), dsn, migrate=False)
    )
    await ready(installation.worker("verification", 0))
    warnings, highest = Watched(count=DIDS, topic=VerificationExpiring.topic), 0
    items = ITEMS["verification"]
    purchases = await exits.enter_async_context(
        steady_purchases(
            parts.kafka,
            parts.topic_prefix,
            [items.answer, warnings.topic],
            purchases_of(items),
            hear=warnings.note,
        )
    )

    async def job_is_done() -> bool:
        return [row["state"] for row in await verification.fetch(STATE)] == ["done"]

    async def all_are_warned() -> bool:
        nonlocal highest
        highest = max(highest, await verification.count("outbox"))
        return warnings.heard == DIDS

    async with purchases.steady():
        await load(verification)
        await until(job_is_done, within=60, what="the end of the job")
        ended = time.perf_counter()
    assert first_answer(purchases.answered) < ended
    planned = set(purchases.answered)
    async with purchases.steady():
        await verification.fetch(ADVANCE, IN_DAYS - WARNED_BEFORE.days)
        await until(all_are_warned, within=60, what="all warnings")
    during = {number: at for number, at in purchases.answered.items() if number not in planned}
    assert first_answer(during) < warnings.last_at
    assert (purchases.lost, warnings.wrong) == (set(), 0)
    assert highest < ROOM


def first_answer(answered: dict[str, float]) -> float:
    return min(answered.values())


async def load(verification: ServiceOnPostgres) -> None:
    """Load the change as the command line does."""
    now = await verification.now()
    rules = reverifying(irish_rules(), now.date() + timedelta(days=IN_DAYS))
    command = LoadRules(entity_id=COUNTRY, subject="", caller=OPERATOR, change_id=uuid7(), rules=rules)
    assert isinstance(await verification.run(command), Decided)
