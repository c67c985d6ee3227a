"""The rules of the term of a DID. Each mutant breaks one at its instant; the tests of that rule must fail."""

from mutants import Mutant

BILLING = "services/billing/didflow_billing"
RULES = "services/billing/tests/unit/term"


def _mutant(name: str, file: str, before: str, after: str, test: str) -> Mutant:
    return Mutant(
        name=name,
        package=BILLING,
        file=f"domain/{file}",
        before=before,
        after=after,
        tests=(f"{RULES}/test_{test}.py",),
    )


TERMS = (
    _mutant("aging lasts 35 days", "periods.py", "timedelta(days=34)", "timedelta(days=35)", "expiration"),
    _mutant(
        "an instant belongs to what ends at it",
        "timers.py",
        "term.due_at is None or term.due_at > at",
        "term.due_at is None or term.due_at >= at",
        "expiration",
    ),
    _mutant(
        "a month is counted from the last end",
        "periods.py",
        "expires_at=months_after(term.anchor, total)",
        "expires_at=months_after(term.expires_at, months)",
        "calendar",
    ),
    _mutant(
        "a month is rounded before it is multiplied",
        "periods.py",
        "term.price.of_period(term.billing_period)",
        "term.price.recurring.rounded() * term.billing_period",
        "charges",
    ),
    _mutant(
        "the last renewal is the one that leaves 1",
        "timers.py",
        "is_last = left == 0",
        "is_last = left == 1",
        "expiration",
    ),
    _mutant(
        "one free day too many",
        "term.py",
        "term.free_days < MAX_FREE_DAYS",
        "term.free_days <= MAX_FREE_DAYS",
        "never_completed",
    ),
    _mutant(
        "a completed registration is forgotten",
        "views.py",
        "completed = term.completed or registration in COMPLETED",
        "completed = registration in COMPLETED",
        "never_completed",
    ),
    _mutant(
        "a timer forgets to refund",
        "timers.py",
        '"registration_not_completed", at, refunded=True',
        '"registration_not_completed", at',
        "never_completed",
    ),
    _mutant(
        "an early renewal starts now",
        "term_changes.py",
        '_charge_renewal(after, now, priced.expires_at, "renewed")',
        '_charge_renewal(after, now, now, "renewed")',
        "renewal",
    ),
    _mutant(
        "a period makes a free restoration cost",
        "term_changes.py",
        "if priced.aging_until is None:",
        "if command.billing_period is None:",
        "cancel_and_restore",
    ),
    _mutant(
        "a cancellation does not wait for verification",
        "term_changes.py",
        "if priced.registration is None:",
        "if False:",
        "settle_first",
    ),
    _mutant(
        "a refund keeps its charges",
        "ledger.py",
        "return replace(term, charges=()), tuple(entries)",
        "return term, tuple(entries)",
        "charges",
    ),
)
