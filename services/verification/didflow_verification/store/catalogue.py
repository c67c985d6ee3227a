"""How the catalogue lies in its table, and what was loaded into it."""

import sqlalchemy as sa

from didflow_chassis.states import Kind, state_table
from didflow_verification.domain.catalogue.loading import CatalogueChange
from didflow_verification.domain.catalogue.rules import CountryRules
from didflow_verification.store.columns import METADATA, identifier, instant, json, text
from didflow_verification.store.spreading import Spreading, rechecking

catalogue = state_table(
    "catalogue",
    METADATA,
    text("country", key=True, comment="ISO-2; * for anywhere else"),
    json("languages"),
    json("places"),
    json("requirements", comment="all rows in all versions"),
)

catalogue_changes = sa.Table(
    "catalogue_changes",
    METADATA,
    identifier("change_id", key=True),
    text("country"),
    instant("changed_at", nullable=False),
    text("changed_by"),
    json("lines"),
    sa.Column("anew", sa.Boolean, nullable=False),
    sa.Index("catalogue_changes_country", "country", "changed_at"),
)

RULES = Kind(model=CountryRules, table=catalogue, key="country")
LOADS: Kind[CatalogueChange] = Spreading(
    model=CatalogueChange,
    table=catalogue_changes,
    key="change_id",
    spread=rechecking("""
SELECT DISTINCT ON (r.did_id) r.did_id, r.number, c.changed_at, NULL::uuid, 1
FROM written c JOIN registrations r ON c.country IN (r.country, '*')
WHERE c.anew AND r.ended IS NULL AND r.state IN ('approved', 'not_required', 'awaiting')"""),
)
