"""Many approved DIDs of a country, a version of its catalogue that asks for a new verification, and what is published.

The DIDs are in the databases of verification and, if it runs too, of inventory, under the same numbers and ids.
"""

from array import array
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
import orjson
from faults.job_items import FIRST, JobItems
from harness.postgres import owner_dsn_of
from msgspec.structs import replace as changed

from didflow.services import service
from didflow_chassis.states import Stored
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.events import VerificationExpired, VerificationExpiring
from didflow_contracts.ids import derived_id
from didflow_verification.catalogue.files import packaged, rules_yaml
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.catalogue_change import RECHECK_DIDS, Recheck
from didflow_verification.domain.requirements import CountryRules
from didflow_verification.store import REGISTRATIONS

PREFIX: Final = "+3531"
COUNTRY: Final = "IE"
IN_DAYS: Final = 60
"""The new version begins in so many days: after the day of the warning, which is 30 days before."""
ADVANCE: Final = "UPDATE clock SET shift = make_interval(days => $1, hours => 1)"
DUE: Final = "SELECT due_at FROM registrations WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1"

_INDEXES: Final = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname NOT LIKE '%pkey'
"""
_DID: Final = {"number": f"'{PREFIX}' || n", "did_id": "md5('reverified' || n)::uuid"}
_ITS_IDENTITY: Final = "jsonb_set(t.approved, '{identity_id}', to_jsonb(md5('identity' || n / 10)))"
"""An end user has ten DIDs."""


def irish_rules() -> CountryRules:
    """Return the packaged rules of the country."""
    return next(rules for rules in packaged() if rules.country == COUNTRY)


def reverifying(rules: CountryRules, begins: date) -> CountryRules:
    """Return the rules with a version from this day on that asks for a new verification, with 20 days of grace."""
    row = rules.requirements[0]
    second = replace(
        row,
        version=row.version + 1,
        effective_from=begins,
        reverify=True,
        grace_until=begins + timedelta(days=20),
    )
    return replace(rules, requirements=(*rules.requirements, second))


def reverifying_file(folder: Path) -> Path:
    """Write the catalogue file of the change."""
    begins = datetime.now(UTC).date() + timedelta(days=IN_DAYS)
    file = folder / "ie.yaml"
    file.write_text(rules_yaml(reverifying(irish_rules(), begins)))
    return file


async def _approve(verification: ServiceOnPostgres) -> None:
    """Let the DID that is copied be an approved one of the country."""
    (row,) = await verification.fetch("SELECT version, sequence FROM registrations")
    (template,) = await verification.states(Registration)
    requirement = irish_rules().requirements[0]
    approved = Details(
        holder=template.account,
        assigned_at=template.started_at,
        identity_id=derived_id("identity", "reverified"),
        identity_account=template.account,
        identity_revision=1,
        end_user_type="business",
        address_id=derived_id("address", "reverified"),
        address_revision=1,
        judged_on=template.started_at.date(),
        requirement=requirement.key,
        requirement_version=requirement.version,
        verification_id=derived_id("verification", "reverified"),
        reference="V-REVERIFY",
        attempt=1,
    )
    after = changed(
        template,
        country=COUNTRY,
        end_user_type="business",
        state="approved",
        requirement=requirement.key,
        requirement_version=requirement.version,
        approved=approved,
        assigned=approved,
        attempt=1,
    )
    stored = Stored(after, row["version"] + 1, row["sequence"], "reverified")
    await verification.fetch(REGISTRATIONS.save_sql, *REGISTRATIONS.to_columns([stored]))


async def _recheck(_: ServiceOnPostgres) -> Recheck:
    return Recheck(country=COUNTRY)


_COPIES: Final = {
    "verification": JobItems(
        service="verification",
        topics={"did.purchased": None},
        answer="verification.not_required",
        tables={"registrations": _DID | {"approved": _ITS_IDENTITY, "assigned": _ITS_IDENTITY}},
        template=_approve,
        kind=RECHECK_DIDS,
        prepare=_recheck,
        published=(VerificationExpiring.topic, VerificationExpired.topic),
    ),
    "inventory": JobItems(
        service="inventory",
        topics={"did.purchased": None, "verification.not_required": 1},
        answer="did.status_changed",
        tables={"dids": _DID},
        kind=RECHECK_DIDS,
        prepare=_recheck,
        published=(),
    ),
}


async def fill(name: str, dsn: str, count: int) -> None:
    """Write this many approved DIDs into the database of verification or inventory. Indexes are made afterwards."""
    items = _COPIES[name]
    owner = await asyncpg.connect(owner_dsn_of(dsn))
    try:
        indexes = await owner.fetch(_INDEXES, items.main_table)
        for index, _ in indexes:
            await owner.execute(f"DROP INDEX {index}")
        async with ServiceOnPostgres.open(service(name), dsn, migrate=False) as opened:
            await items.fill(opened, count)
        for _, definition in indexes:
            await owner.execute(definition)
        await owner.execute(f"VACUUM ANALYZE {items.main_table}")
    finally:
        await owner.close()


def is_reverified(number: str) -> bool:
    """Return True if a number is one of these DIDs."""
    return number.startswith(PREFIX) and int(number[-7:]) >= FIRST


@dataclass(kw_only=True)
class Published:
    """The events of one type about the DIDs, in 8 bytes for each. `repeats` came twice; `wrong` are second events."""

    count: int
    topic: str
    heard: int = 0
    repeats: int = 0
    wrong: int = 0
    ids: "array[int]" = field(default_factory=lambda: array("Q"))

    def __post_init__(self) -> None:
        """Make room for all DIDs."""
        self.ids.frombytes(bytes(8 * self.count))

    def note(self, number: str, value: bytes) -> None:
        """Note an event."""
        event = orjson.loads(value)
        if event["type"] != f"didflow.{self.topic}.v1" or not is_reverified(number):
            return
        place, event_id = int(number[-7:]) - FIRST, int(derived_id("event", event["id"])) & (2**64 - 1)
        before = self.ids[place]
        self.ids[place] = event_id
        self.heard += before == 0
        self.repeats += before == event_id
        self.wrong += before not in {0, event_id}
