"""Former revisions of identities and addresses, kept because a verification judged them.

A verification names the revisions that it judged. When such a revision is replaced by a newer one, its content is kept,
once per revision, however many verifications judged it. It is encrypted when it is saved, and removed when the details
are erased. Source: spec verification, Verifications.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, ReplaceCiphertext, Unchanged
from didflow_contracts.ids import derived_id
from didflow_verification.domain.details.identity import Address, Identity


class JudgedDetail(Struct, frozen=True, kw_only=True):
    """An identity or address whose present revision a verification judged. There is no such state for any other."""

    detail_id: UUID


class FormerDetails(Struct, frozen=True, kw_only=True):
    """A former revision of an identity or of one of its addresses.

    `content` is the whole revision as JSON. A decision writes it as plain text, with `key_id` None; what is saved is
    encrypted under the key `key_id`. Both are None after erasure.
    """

    former_id: UUID
    detail_id: UUID
    identity_id: UUID
    account: str
    revision: int
    key_id: str | None
    content: bytes | None

    @property
    def is_address(self) -> bool:
        """Return True if it is a revision of an address."""
        return self.detail_id != self.identity_id


def former_id(detail_id: UUID, revision: int) -> UUID:
    """Return the id of a former revision. The same revision always has the same id."""
    return derived_id("former", detail_id, str(revision))


def former_of(state: Identity | Address) -> FormerDetails:
    """Return the revision that is about to be replaced, as it is kept."""
    detail_id = state.address_id if isinstance(state, Address) else state.identity_id
    return FormerDetails(
        former_id=former_id(detail_id, state.revision),
        detail_id=detail_id,
        identity_id=state.identity_id,
        account=state.account,
        revision=state.revision,
        key_id=None,
        content=msgspec.json.encode(state),
    )


def revision_of(former: FormerDetails, plain: bytes) -> Identity | Address:
    """Return the revision from its decrypted content."""
    model: type[Identity | Address] = Address if former.is_address else Identity
    return msgspec.json.decode(plain, type=model)


def replace_ciphertext(former: FormerDetails | None, command: ReplaceCiphertext, _now: datetime) -> Decision:
    """Replace the ciphertext by one under another key. If it was erased or has another key, nothing changes."""
    if former is None or (former.key_id, former.content) != (command.former_key_id, command.former):
        return Unchanged()
    return Decided(state=replace(former, key_id=command.key_id, content=command.content))
