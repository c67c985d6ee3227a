"""The jobs that spread a change over all live DIDs that it affects.

A change is a load of the catalogue, a revocation, or a change of an identity or an address. The decision that records
the change starts the job. No DID is missed:

- A decision about a DID holds a shared lock on the rules, reviews and details that it reads, until it is committed. The
  change holds the exclusive lock. So each decision is committed before the change, or it sees the change.
- What was decided before the change is in the table when the job starts, and the pages of the job find it there. The
  order of the pages is that of the DIDs' ids, which never change, so no DID can move behind the position of the job.
- What is decided after the change needs no job. If a page contains it, the command of its item finds nothing to do.

A revocation through an automatic approval is the same change: it holds the exclusive lock of the review, and of the
stored approval of that review. The DID that was reviewed is one of the DIDs of the job.

A DID can be decided between two chunks. So a page only names DIDs. The command loads the DID under its lock and
compares it with the rules, reviews and details of that moment. If several changes are spread at the same time, each job
decides by the last change. The job that comes first to a DID does the work, and the others find nothing to do.

Only an operator may cancel such a job: whoever changed the details of an end user could otherwise keep them from being
judged again.

An approval starts a job of the same form: it approves the account's other pending verifications that the approval
covers. None is missed either:

- Whatever is judged as a submission holds a shared lock on the approval of its details until it is committed. The
  reviewer's approval holds the exclusive lock. So each submission is committed before the approval, or it rests on it.
- What was committed before is seen by the approval under its lock (`OthersPending`), and the pages of the job find it.
  Their order is that of the submissions, whose instants and ids never change.
- Each item holds a shared lock on the approved verification. A revocation comes before the item, which then finds
  nothing to do, or after it, and then its own job finds the DID.

A command is also decided if an earlier message about its DID has failed and waits for an operator, because nobody would
repeat the command later.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from didflow_chassis.database import Database
from didflow_chassis.decision import Command
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools
from didflow_contracts.roles import Action
from didflow_verification import store
from didflow_verification.domain.catalogue_change import RECHECK_DIDS, Recheck
from didflow_verification.domain.commands import ApproveCovered, ReassessDid, RecheckDid, RevokeResting
from didflow_verification.domain.details.changes import REASSESS_DIDS, Reassessment
from didflow_verification.domain.verifications.coverage import APPROVE_COVERED, Coverage
from didflow_verification.domain.verifications.revocation import REVOKE_RESTING, Revocation

P = TypeVar("P")
Found = Sequence[store.Select]
Page = Callable[[Database, Found, str | None, int], Awaitable[list[Item]]]


async def _page_by_id(database: Database, found: Found, after: str | None, limit: int) -> list[Item]:
    rows = await database.fetch(store.next_dids(found, UUID(after) if after else None, limit))
    return [Item(row["number"], str(row["did_id"]), row["did_id"]) for row in rows]


async def _page_by_country(database: Database, found: Found, after: str | None, limit: int) -> list[Item]:
    country, _, did_id = (after or "").partition(" ")
    place = (country, UUID(did_id)) if after else None
    rows = await database.fetch(store.next_dids_by_country(found[0], place, limit))
    return [Item(row["number"], f"{row['country']} {row['did_id']}", row["did_id"]) for row in rows]


def _country_of(item: Item) -> str:
    """Return the country of a DID from its position in the pages by country."""
    return item.position.partition(" ")[0]


async def _page_by_submission(database: Database, found: Found, after: str | None, limit: int) -> list[Item]:
    at, _, verification_id = (after or "").partition(" ")
    place = (datetime.fromisoformat(at), UUID(verification_id)) if after else None
    rows = await database.fetch(store.next_submitted(found[0], place, limit))
    return [
        Item(row["number"], f"{row['submitted_at'].isoformat()} {row['verification_id']}", row["did_id"])
        for row in rows
    ]


def _kind(
    action: Action,
    parameters: type[P],
    found: Callable[[P], Found],
    command: Callable[..., Command],
    *,
    page: Page = _page_by_id,
    lists_unchanged: bool = True,
) -> JobKind[P]:
    """Return a kind of job that runs `command(parameters, item, ...)` for each DID in `found(parameters)`."""

    async def count(tools: JobTools[P]) -> int:
        rows = await tools.database.fetch(store.count_of(found(tools.parameters)))
        return int(rows[0][0])

    async def next_page(tools: JobTools[P], after: str | None, limit: int) -> list[Item]:
        return await page(tools.database, found(tools.parameters), after, limit)

    async def work(tools: JobTools[P], items: Sequence[Item]) -> list[Command]:
        return [
            command(tools.parameters, item, entity_id=item.data, subject=item.name, caller=tools.caller)
            for item in items
        ]

    return JobKind(
        action=action,
        parameters=parameters,
        count=count,
        page=next_page,
        work=work,
        lists_unchanged=lists_unchanged,
        completes_decision=True,
    )


SPREAD: Final[Mapping[str, JobKind[Any]]] = {
    RECHECK_DIDS: _kind(
        "operate",
        Recheck,
        lambda parameters: [store.dids_to_recheck(parameters.country)],
        lambda _, item, **about: RecheckDid(**about, country=_country_of(item)),
        page=_page_by_country,
        lists_unchanged=False,  # a country has many DIDs whose plan stays as it is
    ),
    REVOKE_RESTING: _kind(
        "decide_verifications",
        Revocation,
        lambda parameters: store.dids_resting_on(parameters.verification_id),
        lambda parameters, _, **about: RevokeResting(**about, revoked=parameters.verification_id),
    ),
    APPROVE_COVERED: _kind(
        "decide_verifications",
        Coverage,
        lambda parameters: [store.pending_covered_by(parameters.verification_id)],
        lambda parameters, _, **about: ApproveCovered(
            **about, approved_id=parameters.verification_id, approved_number=parameters.number
        ),
        page=_page_by_submission,
    ),
    REASSESS_DIDS: _kind(
        "write_details",
        Reassessment,
        lambda parameters: store.dids_using(parameters.identity_id, parameters.address_id),
        lambda _, __, **about: ReassessDid(**about),
    ),
}
"""The kinds of job that spread a change, by their names."""
