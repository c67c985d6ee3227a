"""A database of verification in which many verifications wait for a reviewer: copies of one, for tests and benchmarks.

Nine of ten belong to one large account, and almost all others to a thousand small ones. The last ten belong to an
account whose numbers are the newest of all. There are twice as many decided ones.
"""

from typing import Any, Final
from uuid import UUID

import asyncpg

from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased, EnduserAssigned
from didflow_verification.store import REGISTRATIONS, VERIFICATIONS
from harness.postgres import owner_dsn_of

LARGE: Final = "master/large"
SMALL: Final = "master/small0042"
NEWEST: Final = "master/newest"

_NUMBER: Final = "+35319600000"
_DID: Final = UUID(int=1)
_ACCOUNT: Final = f"""CASE WHEN n > $2 - 10 THEN '{NEWEST}' WHEN n % 10 > 0 THEN '{LARGE}'
    ELSE 'master/small' || lpad((n / 10 % 1000)::text, 4, '0') END"""
_IDENTITY: Final = "md5('identity' || n % $1)::uuid"
_ASSIGNED: Final = (
    f"jsonb_build_object('identity_id', {_IDENTITY}, 'verification_id', md5('verification' || n)::uuid)"
)
_REGISTRATION: Final = {
    "did_id": "md5('did' || n)::uuid",
    "number": "'+3531' || (90000000 + n)",
    "account": _ACCOUNT,
    "assigned": f"assigned || {_ASSIGNED}",
}
_PENDING: Final = {
    "verification_id": "md5('verification' || n)::uuid",
    "reference": "'V-' || n",
    "did_id": _REGISTRATION["did_id"],
    "number": _REGISTRATION["number"],
    "account": _ACCOUNT,
    "identity_id": _IDENTITY,
    "submitted_at": "submitted_at + n * interval '1 second'",
}
_DECIDED: Final = _PENDING | {
    "verification_id": "md5('decided' || n)::uuid",
    "did_id": "md5('former' || n)::uuid",
    "status": "'approved'",
}
"""The columns in which copies differ, for copy `n` of `$2`. `$1` is the number of groups with the same details."""


async def fill(running: ServiceOnPostgres, *, rows: int, groups: int) -> None:
    """Write so many pending verifications in so many groups, their DIDs, and twice as many decided verifications."""
    await _first(running)
    connection = await asyncpg.connect(owner_dsn_of(running.database.dsn))
    try:
        await connection.execute(_copy(REGISTRATIONS, _REGISTRATION), groups, rows)
        await connection.execute(_copy(VERIFICATIONS, _DECIDED), groups, 2 * rows)
        await connection.execute(_copy(VERIFICATIONS, _PENDING, "status = 'pending'"), groups, rows)
        await connection.execute("TRUNCATE outbox")
        await connection.execute("VACUUM ANALYZE registrations, verifications")
    finally:
        await connection.close()


def _copy(kind: Any, changes: dict[str, str], where: str = "true") -> str:
    """Return the statement that copies the only row of a kind `$2` times. Columns that are computed are left out."""
    names = [name for name in kind.columns if name not in changes]
    table = kind.table.name
    return (
        f"INSERT INTO {table} ({', '.join([*changes, *names])}) SELECT {', '.join([*changes.values(), *names])} "
        f"FROM {table}, generate_series(1, $2::int) AS s (n), (SELECT $1::int) AS groups WHERE {where}"
    )


async def _first(running: ServiceOnPostgres) -> None:
    """Bring one number of the large account to a pending verification, as inventory and an order system do."""
    async with running.client(account=LARGE, role="reseller", subject="ann") as ann:
        identity = {"type": "business", "company_name": "Example Ltd"}
        identity_id = (await ann.post("/v1/identities", json=identity)).json()["identity_id"]
        place = {"street": "1 Quay Street", "city": "Dublin", "country": "IE", "identity_id": identity_id}
        address_id = (await ann.post("/v1/addresses", json=place)).json()["address_id"]
    at = await running.now()
    about: dict[str, Any] = {"did_id": _DID, "number": _NUMBER, "account": LARGE}
    bought = {"number_type": "local", "features": ["voice_in"], "acquired": "assigned"}
    details = {"identity_id": identity_id, "address_id": address_id, "assigned_at": at}
    purchased, assigned = (
        DidPurchased.model_validate(about | bought),
        EnduserAssigned.model_validate(about | details),
    )
    await running.receive(Event(id="bought", source="/orders/large", time=at, data=purchased))
    await running.receive(
        Event(id="assigned", source="/didflow/inventory", time=at, data=assigned, sequence=1)
    )
