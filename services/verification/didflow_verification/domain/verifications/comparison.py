"""What differs between an attempt and the attempt before it: the identity, the address and the documents.

Values are compared as they were judged. If the content of one of both may not be shown, or was erased, the difference
has no values. Source: spec verification, Verifications: `changed_since`.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import asdict

from didflow_verification.domain.axes.verification import Verification
from didflow_verification.domain.details.document import JudgedDocument
from didflow_verification.domain.details.identity import Address, Identity

Value = str | JudgedDocument | None


class Difference(Struct, frozen=True, kw_only=True):
    """One difference. `field` is the path of a field, or `identity`, `address` or `documents` for a whole one.

    Another identity or address has its id as the value, and a document that came or went is the value itself.
    """

    field: str
    before: Value = None
    after: Value = None


class Attempt(Struct, frozen=True, kw_only=True):
    """A verification with the details as it judged them. An identity or address that may not be shown is None.

    If not `is_shown`, nothing of it may be shown, and differences have no values.
    """

    verification: Verification
    identity: Identity | None = None
    address: Address | None = None
    is_shown: bool = True


def differences(before: Attempt, after: Attempt) -> tuple[Difference, ...]:
    """Return what differs between two attempts of one DID."""
    may_show = before.is_shown and after.is_shown
    return (
        *_identity(before, after, may_show),
        *_address(before, after, may_show),
        *_documents(before, after, may_show),
    )


def _identity(before: Attempt, after: Attempt, may_show: bool) -> Iterator[Difference]:
    b, a = before.verification, after.verification
    if (b.identity_id, b.identity_revision) == (a.identity_id, a.identity_revision):
        return
    if not may_show or before.identity is None or after.identity is None:
        yield Difference(field="identity")
        return
    if b.identity_id != a.identity_id:
        yield Difference(field="identity", before=str(b.identity_id), after=str(a.identity_id))
    yield from _fields(
        "identity",
        {"type": before.identity.type} | asdict(before.identity.person),
        {"type": after.identity.type} | asdict(after.identity.person),
    )


def _address(before: Attempt, after: Attempt, may_show: bool) -> Iterator[Difference]:
    b, a = before.verification, after.verification
    if (b.address_id, b.address_revision) == (a.address_id, a.address_revision):
        return
    is_missing = (b.address_id and before.address is None) or (a.address_id and after.address is None)
    if not may_show or is_missing:
        yield Difference(field="address")
        return
    if b.address_id != a.address_id:
        yield Difference(field="address", before=_text(b.address_id), after=_text(a.address_id))
    if before.address and after.address:
        yield from _fields("address", asdict(before.address.place), asdict(after.address.place))


def _documents(before: Attempt, after: Attempt, may_show: bool) -> Iterator[Difference]:
    b, a = before.verification.documents, after.verification.documents
    removed = [each for each in b if each not in a]
    added = [each for each in a if each not in b]
    if not may_show:
        if removed or added:
            yield Difference(field="documents")
        return
    yield from (Difference(field="documents", before=each) for each in removed)
    yield from (Difference(field="documents", after=each) for each in added)


def _fields(whole: str, before: dict[str, object], after: dict[str, object]) -> Iterator[Difference]:
    for name, value in before.items():
        if value != after[name]:
            yield Difference(field=f"{whole}.{name}", before=_text(value), after=_text(after[name]))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
