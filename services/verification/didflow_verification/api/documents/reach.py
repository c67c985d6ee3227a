"""Which documents a caller may see: those of its subtree, and those that an attempt in its subtree was judged on.

An identity serves the accounts below its own: whoever reviews one of those sees its papers, and no other paper.
"""

from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.http import HttpContext
from didflow_chassis.tenancy import within
from didflow_verification import store
from didflow_verification.api.asking import READERS, noted
from didflow_verification.domain.details.document import StoredDocument


async def reached(http: HttpContext, document_id: UUID) -> StoredDocument:
    """Return a document that the caller may see, and note it. Raises Problem `not_found`."""
    http.require(*READERS)
    table, attempts = store.documents, store.verifications
    serves = sa.or_(
        attempts.c.account == table.c.account, attempts.c.account.like(sa.func.concat(table.c.account, "/%"))
    )
    reviewed = sa.exists().where(
        attempts.c.identity_id == table.c.identity_id,
        attempts.c.document_ids.has_key(str(document_id)),
        within(attempts.c.account, http.caller),
        serves,
    )
    statement = store.by_keys(store.DOCUMENTS, [document_id]).where(
        table.c.erased_at.is_(None), sa.or_(within(table.c.account, http.caller), reviewed)
    )
    rows = await http.rows(statement)
    if not rows:
        raise http.problem(404, "not_found", "Nothing of this id is in your reach.")
    await noted(http, "document", document_id)
    return store.state_in(store.DOCUMENTS, rows[0])
