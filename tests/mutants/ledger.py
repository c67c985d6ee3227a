"""What the database and the invoices hold about the ledger. Each mutant removes one rule; its tests must fail."""

from mutants import Mutant

BILLING = "services/billing/didflow_billing"
TESTS = "services/billing/tests/postgres"
MIGRATION = "migrations/versions/0001_first_version.py"


def _mutant(name: str, file: str, before: str, after: str, test: str) -> Mutant:
    return Mutant(
        name=name, package=BILLING, file=file, before=before, after=after, tests=(f"{TESTS}/test_{test}.py",)
    )


LEDGER = (
    _mutant(
        "a period can be charged twice",
        MIGRATION,
        """        unique=True,
        postgresql_where=sa.text("kind IN ('recurring', 'renewal')"),""",
        """        postgresql_where=sa.text("kind IN ('recurring', 'renewal')"),""",
        "ledger_rules",
    ),
    _mutant("a refund can exceed its charge", MIGRATION, " OR -r.amount > c.amount)", ")", "ledger_rules"),
    _mutant(
        "the owner can change an entry", MIGRATION, "BEFORE UPDATE OR DELETE OR", "BEFORE", "ledger_rules"
    ),
    _mutant(
        "an account is summed up without those below",
        MIGRATION,
        "generate_series(1, cardinality(names))",
        "generate_series(cardinality(names), cardinality(names))",
        "ledger_rules",
    ),
    _mutant(
        "totals are rebuilt beside writers",
        MIGRATION,
        "    LOCK TABLE ledger IN SHARE ROW EXCLUSIVE MODE;\n",
        "",
        "ledger_rules",
    ),
    _mutant(
        "a month is closed at its end",
        "domain/invoice.py",
        "timedelta(hours=1)",
        "timedelta(0)",
        "invoices_api",
    ),
    _mutant(
        "an invoice has what was posted in a month",
        "store/queries.py",
        "yield ledger.c.recorded_at >= begin",
        "yield ledger.c.posted_at >= begin",
        "invoices_api",
    ),
    _mutant(
        "a part of an hour is left out",
        "api/balances.py",
        "for part in parts:",
        "for part in parts[:1]:",
        "balances_api",
    ),
)
