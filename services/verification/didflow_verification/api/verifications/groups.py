"""The queue by details: one item for all pending verifications of the same details, requirement and area.

The counts of a page come from an index that has the whole queue. The details of a group are those of its first
verification, which a second statement reads.
"""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from didflow_chassis.http import HttpContext, Page
from didflow_verification import store
from didflow_verification.api.verifications.bodies import VerificationsQuery
from didflow_verification.domain.axes.verification import Verification


class VerificationGroup(BaseModel):
    """Pending verifications of the same details, requirement and area.

    The first five fields filter the list of verifications: `none` for null, an empty `document_ids` for no documents.
    """

    identity_id: UUID
    address_id: UUID | None
    document_ids: list[UUID]
    requirement: str
    area: str | None = Field(description="Null if the area of the number does not matter.")
    count: int
    accounts: int = Field(
        description="How many accounts have them. One approval covers those of one account."
    )
    oldest: datetime = Field(description="When the first one was submitted.")
    first: UUID = Field(description="The first verification.")
    claimed_by: str | None = Field(
        description="A reviewer who has claimed one of them. If there are several, the first by name."
    )

    @classmethod
    def of(cls, first: Verification, row: dict[str, object]) -> Self:
        """Return the group of a verification. `row` has what was counted."""
        details = {name: getattr(first, name) for name in ("identity_id", "address_id", "document_ids")}
        area = first.area or None
        return cls.model_validate(details | {"requirement": first.requirement, "area": area} | row)


async def read_groups(http: HttpContext, query: VerificationsQuery) -> Page:
    """Return a page of groups within the caller's reach, the one that waits longest first.

    The counts are those of the verifications that the caller reaches. Raises Problem, as `HttpContext.page` does.
    """
    groups = store.pending_groups(http.caller, *query.filters())
    names = ("count", "accounts", "oldest", "first", "claimed_by")
    page = await http.page(
        groups,
        sort={"oldest": store.OLDEST},
        key=store.FIRST,
        is_grouped=True,
        render=lambda row: {name: row[name] for name in names},
    )
    ids = [item["first"] for item in page.items]
    rows = (
        await http.rows(
            store.within_reach(
                store.VERIFICATIONS, http.caller, store.verifications.c.verification_id.in_(ids)
            )
        )
        if ids
        else []
    )
    first = {
        each.verification_id: each for each in (store.state_of(store.VERIFICATIONS, row) for row in rows)
    }
    items = [
        VerificationGroup.of(first[item["first"]], item).model_dump(mode="json")
        for item in page.items
        if item["first"] in first
    ]
    return Page(items=items, next=page.next)
