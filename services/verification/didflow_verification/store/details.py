"""How identities, addresses and documents lie in tables, with what was changed of them.

`Use` and `Belongings` are views: counted and gathered by the statement that loads them, under the locks of whoever
asks. A `DetailChange` is written by a statement that makes every living DID on the details due to be judged again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.details.changing import DetailChange
from didflow_verification.domain.details.document import StoredDocument
from didflow_verification.domain.details.erasing import Belongings, Use
from didflow_verification.domain.details.identity import Address, Identity
from didflow_verification.store.columns import METADATA, VIEWS, count, identifier, instant, json, text
from didflow_verification.store.spreading import Spreading

identities = state_table(
    "identities",
    METADATA,
    identifier("identity_id", key=True),
    text("account", comment="the account that it serves, with those below"),
    text("type"),
    json("person", comment="personal data: nowhere else"),
    count("revision"),
    instant("created_at", nullable=False),
    text("created_by"),
    instant("erased_at"),
    sa.Index("identities_account", sa.text('account COLLATE "C"'), "created_at", "identity_id"),
)

addresses = state_table(
    "addresses",
    METADATA,
    identifier("address_id", key=True),
    identifier("identity_id"),
    text("account", comment="its identity's"),
    json("place", comment="personal data: nowhere else"),
    count("revision"),
    instant("created_at", nullable=False),
    text("created_by"),
    instant("erased_at"),
    sa.Index("addresses_account", sa.text('account COLLATE "C"'), "created_at", "address_id"),
    sa.Index("addresses_identity", "identity_id"),
)

documents = state_table(
    "documents",
    METADATA,
    identifier("document_id", key=True),
    identifier("identity_id"),
    text("account", comment="its identity's"),
    text("kind"),
    text("media_type", comment="what the content was found to be"),
    sa.Column("size", sa.BigInteger, nullable=False, comment="bytes in clear"),
    identifier("content_id", nullable=True),
    sa.Column("issued_on", sa.Date),
    sa.Column("expires_on", sa.Date),
    json("states", comment="personal data: nowhere else"),
    instant("created_at", nullable=False),
    text("created_by"),
    instant("erased_at"),
    sa.Index("documents_account", sa.text('account COLLATE "C"'), "created_at", "document_id"),
    sa.Index("documents_identity", "identity_id"),
    sa.Index("documents_content", "content_id", unique=True),
)

document_contents = sa.Table(
    "document_contents",
    METADATA,
    identifier("content_id", key=True),
    identifier("document_id"),
    text("account", comment="with the document's id bound to the ciphertext"),
    text("key_id", comment="the configured key that it is encrypted under"),
    text("place", comment="where its chunks lie: database or objects"),
    instant("loose_since"),
    sa.Index("document_contents_key", "key_id", "content_id"),
    sa.Index("document_contents_loose", "loose_since", postgresql_where=sa.text("loose_since IS NOT NULL")),
)

document_chunks = sa.Table(
    "document_chunks",
    METADATA,
    identifier("content_id", key=True),
    sa.Column("place", sa.Integer, primary_key=True, nullable=False),
    sa.Column("sealed", BYTEA, nullable=False, comment="AES-256-GCM"),
)

detail_changes = sa.Table(
    "detail_changes",
    METADATA,
    identifier("change_id", key=True),
    identifier("identity_id"),
    identifier("address_id", nullable=True),
    count("revision"),
    instant("changed_at", nullable=False),
    text("changed_by"),
    sa.Index("detail_changes_identity", "identity_id", "changed_at"),
)

detail_uses = state_table(
    "detail_uses", VIEWS, identifier("detail_id", key=True), sa.Column("dids", sa.BigInteger, nullable=False)
)

belongings = state_table(
    "belongings",
    VIEWS,
    identifier("identity_id", key=True),
    json("address_ids"),
    json("document_ids"),
)

_JUDGED_AGAIN = """
INSERT INTO reassessments AS t (did_id, number, due_at, changed_by, address_ids, version)
SELECT DISTINCT ON (u.did_id) u.did_id, u.number, c.changed_at, c.changed_by,
    CASE WHEN c.address_id IS NULL THEN '[]' ELSE jsonb_build_array(c.address_id) END, 1
FROM written c JOIN places_in_use u ON u.identity_id = c.identity_id
WHERE c.address_id IS NULL OR u.address_id = c.address_id
ORDER BY u.did_id, c.changed_at DESC
ON CONFLICT (did_id) DO UPDATE SET due_at = excluded.due_at, changed_by = excluded.changed_by,
    address_ids = t.address_ids || excluded.address_ids, version = t.version + 1
"""

IDENTITIES = Kind(model=Identity, table=identities, key="identity_id")
ADDRESSES = Kind(model=Address, table=addresses, key="address_id")
DOCUMENTS = Kind(model=StoredDocument, table=documents, key="document_id")
CHANGES: Kind[DetailChange] = Spreading(
    model=DetailChange, table=detail_changes, key="change_id", spread=_JUDGED_AGAIN
)
USES = Kind(model=Use, table=detail_uses, key="detail_id")
BELONGINGS = Kind(model=Belongings, table=belongings, key="identity_id")
