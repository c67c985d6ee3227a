"""The countries that came to the package later; one that is in the table already stays as it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, insert

from didflow_verification.catalogue.reading import packaged, rules_json

revision = "verification_0010"
down_revision = "verification_0002"
branch_labels = None
depends_on = None

catalogue = sa.table(
    "catalogue",
    sa.column("country", sa.Text),
    sa.column("languages", JSONB),
    sa.column("places", JSONB),
    sa.column("requirements", JSONB),
    sa.column("version", sa.BigInteger),
)


def upgrade() -> None:
    rows = [{**rules_json(rules), "version": 1} for rules in packaged()]
    op.execute(insert(catalogue).values(rows).on_conflict_do_nothing(index_elements=["country"]))


def downgrade() -> None:
    """What was added stays: without it those countries would be answered by the rule for anywhere."""
