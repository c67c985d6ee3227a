"""What is stored and published at one instant of a history, and at the instant before it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias
from uuid import UUID

from didflow_contracts.envelope import Event
from didflow_contracts.events import ServiceChanged
from didflow_contracts.events.registration import RegistrationAxis
from didflow_verification.domain.axes.registration import Details, Registration
from didflow_verification.domain.axes.service_request import ServiceRequest
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.former import FormerDetails
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.requirements import ANYWHERE, CountryRules, Requirement
from didflow_verification.domain.verifications.approval import Approval
from didflow_verification.domain.verifications.revocation import REVOKE_RESTING

RevokedOf: TypeAlias = tuple[UUID, UUID, UUID | None]
"""A DID, an identity and an address."""


def details_of(verification: Verification) -> RevokedOf:
    """Return the DID and the details of a verification, in whatever revisions."""
    return verification.did_id, verification.identity_id, verification.address_id


@dataclass(kw_only=True)
class Facts:
    """Every state by its key, all published events in order, and the jobs that are not finished.

    `news` counts the events that were published since `before`. `revoked_whole` are the verifications that were revoked
    with the review that they rest on.
    """

    now: datetime
    registrations: dict[UUID, Registration]
    verifications: dict[UUID, Verification]
    requests: dict[UUID, ServiceRequest]
    approvals: dict[str, Approval]
    identities: dict[UUID, Identity]
    addresses: dict[UUID, Address]
    documents: dict[UUID, Document]
    former: dict[UUID, FormerDetails]
    rules: dict[str, CountryRules]
    jobs: tuple[Any, ...]
    events: Sequence[Event[Any]]
    news: int
    revoked_whole: frozenset[UUID]
    before: "Facts | None" = field(repr=False)
    revoked_details: set[RevokedOf] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Note the details that were revoked, until a person approves them again for the same DID."""
        known = set(self.before.revoked_details) if self.before else set()
        for each in self.changed("revoked"):
            known.add(details_of(each))
        for each in self.changed("approved"):
            if not each.automatic:
                known.discard(details_of(each))
        self.revoked_details = known

    def changed(self, status: str) -> list[Verification]:
        """Return the verifications that have got this status since `before`."""
        earlier = self.before.verifications if self.before else {}
        found = (each for each in self.verifications.values() if each.status == status)
        return [
            e
            for e in found
            if e.verification_id not in earlier or earlier[e.verification_id].status != status
        ]

    @classmethod
    def of(cls, stage: Any, before: "Facts | None", revoked_whole: Iterable[UUID]) -> "Facts":
        """Read a stage. Of `before`, only one instant is kept."""
        events = stage.published()
        if before is not None:
            before.before = None
        return cls(
            now=stage.now(),
            registrations={each.did_id: each for each in stage.states(Registration)},
            verifications={each.verification_id: each for each in stage.states(Verification)},
            requests={each.request_id: each for each in stage.states(ServiceRequest)},
            approvals={each.approval_key: each for each in stage.states(Approval)},
            identities={each.identity_id: each for each in stage.states(Identity)},
            addresses={each.address_id: each for each in stage.states(Address)},
            documents={each.document_id: each for each in stage.states(Document)},
            former={each.former_id: each for each in stage.states(FormerDetails)},
            rules={each.country: each for each in stage.states(CountryRules)},
            jobs=tuple(stage.unfinished_jobs()),
            events=events,
            news=len(events) - (len(before.events) if before else 0),
            revoked_whole=frozenset(revoked_whole),
            before=before,
        )

    def live(self) -> Iterator[Registration]:
        """Yield the registrations of live DIDs."""
        return (each for each in self.registrations.values() if each.ended is None)

    def attempts(self, did_id: UUID) -> list[Verification]:
        """Return the verifications of a DID, in the order of their attempts."""
        found = [each for each in self.verifications.values() if each.did_id == did_id]
        return sorted(found, key=lambda each: each.attempt)

    def is_being_revoked(self, verification_id: UUID) -> bool:
        """Return True if a job still ends the approvals that rest on this verification."""
        return any(
            job.kind == REVOKE_RESTING and job.parameters.verification_id == verification_id
            for job in self.jobs
        )

    def row(self, verification: Verification) -> Requirement | None:
        """Return the row that a verification was judged by."""
        wanted = (verification.requirement, verification.requirement_version)
        countries = [self.rules.get(key) for key in (verification.country, ANYWHERE)]
        rows = [row for rules in countries if rules for row in rules.requirements]
        return next((row for row in rows if (row.key, row.version) == wanted), None)

    def serves(self, details: Details, account: str) -> bool:
        """Return True if the identity of these details serves an account."""
        identity = self.identities.get(details.identity_id)
        return identity is not None and identity.serves(account)

    def axis_events(self) -> dict[UUID, list[RegistrationAxis]]:
        """Return the published events of each registration, in order."""
        found: dict[UUID, list[RegistrationAxis]] = {}
        for event in self.events:
            if isinstance(event.data, RegistrationAxis):
                found.setdefault(event.data.did_id, []).append(event.data)
        return found

    def service_events(self) -> dict[UUID, list[ServiceChanged]]:
        """Return the published events of each service request, in order."""
        data = [event.data for event in self.events if isinstance(event.data, ServiceChanged)]
        data.sort(key=lambda each: str(each.request_id))
        return {key: list(found) for key, found in groupby(data, key=lambda each: each.request_id) if key}
