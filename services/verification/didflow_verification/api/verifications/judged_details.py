"""Reads what a verification judged: the identity and the address in the judged revisions, and the attempt before.

A present revision is read from the table of identities or addresses, a former one from `former_details`. An identity is
shown only while it serves the account of the verification. If the caller does not reach the attempt before, or if its
identity does not serve this account, its details are not shown. Source: spec verification, Verifications.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from didflow_chassis.http import HttpContext, Problem
from didflow_chassis.internal_errors import log_internal_error
from didflow_chassis.states import Kind
from didflow_contracts.accounts import is_within
from didflow_verification import store
from didflow_verification.api.reads import keyring_of, record_reads
from didflow_verification.documents.errors import DecryptionError, KeyMissing
from didflow_verification.documents.former import decrypted
from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.document import Document
from didflow_verification.domain.details.former import FormerDetails, former_id
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.domain.verifications.comparison import Attempt, Difference, differences

S = TypeVar("S", Identity, Address)

_KEY_MISSING: Final = "Former details cannot be decrypted. Ask the operator to check the keys of documents."
_UNOPENABLE: Final = "Stored former details are damaged. Give the reference to your operator."


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A verification with what it judged, and what changed since the attempt before."""

    attempt: Attempt
    documents: tuple[Document, ...]
    changed_since: tuple[Difference, ...]


async def read_judged(http: HttpContext, verification: Verification) -> Judged:
    """Read what a verification within the caller's reach judged, and record the reads.

    Raises Problem `unavailable` if the key of former details is not configured, `details_unopenable` if they are
    damaged; Outage.
    """
    before = await _before(http, verification)
    both = [verification, *before]
    identities = await _present(http, store.IDENTITIES, {each.identity_id for each in both})
    addresses = await _present(http, store.ADDRESSES, {each.address_id for each in both if each.address_id})
    details = _Details(account=verification.account, identities=identities, addresses=addresses)
    shown = [each for each in both if details.are_own(each) and http.caller.reaches(each.account)]
    former = await _former(http, [key for each in shown for key in details.former_ids(each)])
    attempts = [
        details.attempt(each, former) if each in shown else Attempt(verification=each, is_shown=False)
        for each in both
    ]
    await record_reads(http, "identity", *{a.identity.identity_id for a in attempts if a.identity})
    await record_reads(http, "address", *{a.address.address_id for a in attempts if a.address})
    documents = await _documents(http, verification) if verification in shown else ()
    await record_reads(http, "document", *(document.document_id for document in documents))
    changed = differences(attempts[1], attempts[0]) if before else ()
    return Judged(attempt=attempts[0], documents=documents, changed_since=changed)


@dataclass(frozen=True, kw_only=True)
class _Details:
    """The present revisions of the details that attempts name, for the account whose verification is shown."""

    account: str
    identities: dict[UUID, Identity]
    addresses: dict[UUID, Address]

    def are_own(self, verification: Verification) -> bool:
        """Return True if the identity belongs to the account or to one above it, even if it was erased."""
        found = self.identities.get(verification.identity_id)
        return found is not None and is_within(self.account, found.account)

    def identity_of(self, verification: Verification) -> Identity | None:
        """Return the identity if it serves the account. An erased one serves none."""
        found = self.identities.get(verification.identity_id)
        return found if found and found.serves(self.account) else None

    def address_of(self, verification: Verification) -> Address | None:
        """Return the address if it belongs to the identity and is not erased."""
        found = self.addresses.get(verification.address_id) if verification.address_id else None
        return (
            found if found and found.identity_id == verification.identity_id and not found.erased_at else None
        )

    def former_ids(self, verification: Verification) -> Iterable[UUID]:
        """Yield the ids of the judged revisions that are not present any more."""
        identity, address = self.identity_of(verification), self.address_of(verification)
        for key, present, judged in (
            (verification.identity_id, identity, verification.identity_revision),
            (verification.address_id, address, verification.address_revision),
        ):
            if key and present and judged and judged != present.revision:
                yield former_id(key, judged)

    def attempt(self, verification: Verification, former: dict[UUID, Any]) -> Attempt:
        """Return the verification with the revisions that it judged."""
        return Attempt(
            verification=verification,
            identity=_revision(
                self.identity_of(verification),
                verification.identity_id,
                verification.identity_revision,
                former,
            ),
            address=_revision(
                self.address_of(verification), verification.address_id, verification.address_revision, former
            ),
        )


def _revision(present: S | None, key: UUID | None, judged: int | None, former: dict[UUID, Any]) -> S | None:
    if present is None or key is None or judged is None:
        return None
    return present if judged == present.revision else former.get(former_id(key, judged))


async def _before(http: HttpContext, verification: Verification) -> list[Verification]:
    """Return the attempt before, in any account. Of another account, only that it differs is shown."""
    if verification.attempt == 1:
        return []
    rows = await http.rows_of_any_account(store.attempt_before(verification))
    return [store.state_of(store.VERIFICATIONS, row) for row in rows]


async def _present(http: HttpContext, kind: Kind[S], keys: set[UUID]) -> dict[UUID, S]:
    rows = await http.rows_of_any_account(store.by_keys(kind, keys)) if keys else []
    states = [store.state_of(kind, row) for row in rows]
    return {kind.key_of(state): state for state in states}  # type: ignore[misc]


async def _former(http: HttpContext, former_ids: list[UUID]) -> dict[UUID, Identity | Address | None]:
    if not former_ids:
        return {}
    rows = await http.rows(store.former_revisions(former_ids, http.caller))
    found: list[FormerDetails] = [store.state_of(store.FORMER_DETAILS, row) for row in rows]
    try:
        return {each.former_id: decrypted(keyring_of(http), each) for each in found}
    except DecryptionError as error:
        reference = log_internal_error(error)
        raise Problem("details_unopenable", _UNOPENABLE, status=500, reference=reference) from error
    except KeyMissing as error:
        raise Problem("unavailable", _KEY_MISSING) from error


async def _documents(http: HttpContext, verification: Verification) -> tuple[Document, ...]:
    """Return the documents of a verification that belong to its identity and are not erased."""
    keys = [each.document_id for each in verification.documents if each.sha256]
    rows = await http.rows_of_any_account(store.by_keys(store.DOCUMENTS, keys)) if keys else []
    found = [store.state_of(store.DOCUMENTS, row) for row in rows]
    return tuple(
        each for each in found if each.identity_id == verification.identity_id and not each.erased_at
    )
