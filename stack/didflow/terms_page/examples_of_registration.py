"""Examples of DIDs whose registration was never completed, and of those whose registration was."""

from typing import Final

from didflow.terms_page.life import Example
from didflow.terms_page.messages import cancel, purchased, registration, renew

CANCELED: Final = (
    Example(
        title="Canceled while awaiting",
        rule="No reviewer has the details. The DID is removed at once, and every charge is reversed.",
        steps=[("2026-01-31 12:00", purchased(months=3)), ("2026-02-10 09:00", cancel())],
        until="2026-03-05 00:00",
        answer="awaiting",
        quoted=(("2026-02-10 09:00", cancel()),),
    ),
    Example(
        title="Canceled after a rejection",
        rule="The DID is removed at once, and every charge is reversed, as while it awaits details.",
        steps=[
            ("2026-01-31 12:00", purchased()),
            ("2026-02-05 09:00", registration("rejected")),
            ("2026-02-10 09:00", cancel()),
        ],
        until="2026-03-05 00:00",
        answer="pending",
    ),
    Example(
        title="Canceled while pending",
        rule="A reviewer has the details. The DID is canceled as usual and never refunded, whatever the "
        "reviewer decides later.",
        steps=[
            ("2026-01-31 12:00", purchased()),
            ("2026-02-10 09:00", cancel()),
            ("2026-02-15 09:00", registration("rejected")),
        ],
        until="2026-05-01 00:00",
        answer="pending",
    ),
    Example(
        title="Canceled while pending, with `remove`",
        rule="The DID is removed at once, without a refund.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", cancel(remove=True))],
        until="2026-03-05 00:00",
        answer="pending",
        quoted=(("2026-02-10 09:00", cancel(remove=True)),),
    ),
    Example(
        title="Canceled while approved",
        rule="The DID is canceled as usual, without a refund. `remove` changes nothing.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", cancel(remove=True))],
        until="2026-02-20 00:00",
        answer="approved",
    ),
    Example(
        title="An old number whose new details are rejected",
        rule="The registration was completed once. The DID is canceled as usual, without a refund.",
        steps=[
            ("2026-01-31 12:00", purchased(months=12)),
            ("2026-12-20 09:00", registration("awaiting")),
            ("2026-12-30 09:00", registration("rejected")),
            ("2026-12-31 09:00", cancel()),
        ],
        until="2027-01-10 00:00",
        answer="approved",
    ),
    Example(
        title="Canceled before verification has answered",
        rule="Nothing is settled before the first answer, and a cancellation is refused. A late answer counts "
        "from the purchase on: what was due is then done, each at its own instant.",
        steps=[
            ("2026-01-31 12:00", purchased(cycles=1)),
            ("2026-01-31 12:00:01", cancel()),
            ("2026-03-12 09:00", registration("not_required")),
        ],
        until="2026-03-15 00:00",
        answer=None,
    ),
)

FIRST_PERIOD: Final = (
    Example(
        title="Still awaiting at the end of the first period",
        rule="The DID is removed and refunded in full. The cycles do not matter.",
        steps=[("2026-01-31 12:00", purchased(cycles=5))],
        until="2026-03-05 00:00",
        answer="awaiting",
    ),
    Example(
        title="Rejected at the end of the first period",
        rule="The DID is removed and refunded in full, as while it awaits details.",
        steps=[("2026-01-31 12:00", purchased(cycles=0)), ("2026-02-20 09:00", registration("rejected"))],
        until="2026-03-05 00:00",
        answer="pending",
    ),
    Example(
        title="Pending at the end of the first period, then approved",
        rule="Each day is free and uses no cycle. After the approval, the next period starts at the end of the"
        " free day, and periods are counted from there.",
        steps=[("2026-01-31 12:00", purchased(cycles=2)), ("2026-03-02 15:00", registration("approved"))],
        until="2026-05-10 00:00",
        answer="pending",
    ),
    Example(
        title="Pending at the end of the first period, then rejected",
        rule="The DID is removed and refunded in full at the end of the free day.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-03-02 15:00", registration("rejected"))],
        until="2026-05-10 00:00",
        answer="pending",
    ),
    Example(
        title="Pending for 30 more days",
        rule="There are at most 30 free days. Then the DID is removed and refunded in full.",
        steps=[("2026-01-31 12:00", purchased())],
        until="2026-05-10 00:00",
        answer="pending",
    ),
    Example(
        title="Renewed while awaiting",
        rule="The renewal moves the end of paid time. The same rule holds at the new end, and every charge is "
        "reversed.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", renew(1))],
        until="2026-04-10 00:00",
        answer="awaiting",
    ),
    Example(
        title="Expired after an approval",
        rule="The registration was completed once, so the term renews and is charged as usual, whatever "
        "happens to the registration. A cancellation refunds nothing.",
        steps=[
            ("2026-01-31 12:00", purchased()),
            ("2026-02-10 09:00", registration("expired")),
            ("2026-03-20 09:00", cancel()),
        ],
        until="2026-03-25 00:00",
        answer="approved",
    ),
)
