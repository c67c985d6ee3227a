"""Routes by which a reviewer decides up to 1,000 verifications in one call, verification by verification."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from didflow_chassis.decision import Command
from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Router
from didflow_contracts.names import parse_id
from didflow_verification import store
from didflow_verification.api.verifications.bodies import RejectVerificationsBody, VerificationsBody
from didflow_verification.domain.commands import Approve, Claim, Reject, Release
from didflow_verification.domain.verifications.review import NOT_FOUND

router = Router(prefix="/v1/verifications/batch", tags=["verifications"])

Make = Callable[[Any], Command]
"""Makes the command for a row with the id, the DID and the number of a verification."""


@router.batch("/claim", action="decide_verifications", item="verification")
async def claim_batch(http: Http, body: VerificationsBody) -> BatchAnswer:
    """Claim verifications for 15 minutes, so that no other reviewer works on them."""
    return await _decide(http, body, lambda row: Claim(entity_id=row["verification_id"], **_about(http, row)))


@router.batch("/release", action="decide_verifications", item="verification")
async def release_batch(http: Http, body: VerificationsBody) -> BatchAnswer:
    """Release your claims of verifications."""
    return await _decide(
        http, body, lambda row: Release(entity_id=row["verification_id"], **_about(http, row))
    )


@router.batch("/approve", action="decide_verifications", item="verification")
async def approve_batch(http: Http, body: VerificationsBody) -> BatchAnswer:
    """Approve verifications. Others that these approvals cover are approved soon after."""
    return await _decide(http, body, lambda row: Approve(**_of_did(http, row)))


@router.batch("/reject", action="decide_verifications", item="verification")
async def reject_batch(http: Http, body: RejectVerificationsBody) -> BatchAnswer:
    """Reject verifications, all for the same reasons. Only those that are named are rejected."""
    reasons = tuple(reason.reason() for reason in body.reasons)
    return await _decide(http, body, lambda row: Reject(**_of_did(http, row), reasons=reasons))


def _about(http: HttpContext, row: Any) -> dict[str, Any]:
    return {"subject": row["number"], "caller": http.caller}


def _of_did(http: HttpContext, row: Any) -> dict[str, Any]:
    named = {"entity_id": row["did_id"], "verification_id": row["verification_id"]}
    return named | _about(http, row)


async def _decide(http: HttpContext, body: VerificationsBody, make: Make) -> BatchAnswer:
    rows: dict[UUID, Any] = {}

    async def resolve(_: HttpContext, names: list[str]) -> dict[str, NamedEntity]:
        """Find the verifications by their ids, by one statement."""
        ids = {name: found for name in names if (found := parse_id(name)) is not None}
        if ids:
            read = await http.rows(store.verifications_named(set(ids.values()), http.caller))
            rows.update({row["verification_id"]: row for row in read})
        return {
            name: NamedEntity(entity_id=key, subject=rows[key]["number"])
            for name, key in ids.items()
            if key in rows
        }

    return await http.batch(
        body.verifications,
        resolve,
        lambda entity: make(rows[entity.entity_id]),  # type: ignore[index]
        absent=NOT_FOUND,
    )
