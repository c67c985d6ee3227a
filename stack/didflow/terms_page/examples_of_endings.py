"""Examples of endings: canceled, restored, refused, withdrawn, and DIDs without a price."""

from typing import Final

from didflow.terms_page.life import Example
from didflow.terms_page.messages import (
    cancel,
    porting_started,
    purchase_refused,
    purchased,
    registration,
    renew,
    restore,
    set_cycles,
    withdrawn,
)

TWO_WAYS: Final = (
    Example(
        title="`cancel`: calls stop now",
        rule="Calls stop at once, and nothing is refunded. Until the end of the paid time, a restoration is free.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", cancel())],
        until="2026-05-01 00:00",
        quoted=(("2026-02-10 09:00", cancel()),),
    ),
    Example(
        title="`set-cycles` 0: calls stop when the paid time ends",
        rule='This is "cancel at the end of the period". Calls go on until then, and nothing more is charged.',
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", set_cycles(0))],
        until="2026-05-01 00:00",
        quoted=(("2026-02-10 09:00", set_cycles(0)),),
    ),
)

CANCELED: Final = (
    Example(
        title="Canceled, and restored while time is paid",
        rule="The restoration is free. The end of paid time and the cycles are as before. A billing period "
        "that is given is ignored.",
        steps=[
            ("2026-01-31 12:00", purchased(cycles=4)),
            ("2026-02-10 09:00", cancel()),
            ("2026-02-20 09:00", restore(12)),
        ],
        until="2026-03-05 00:00",
        quoted=(("2026-02-20 09:00", restore()),),
    ),
    Example(
        title="Canceled, expired, and restored with a renewal",
        rule="A canceled term never renews by itself. After the end of paid time a restoration needs a billing"
        " period. The new period starts now. The cycles are as before.",
        steps=[
            ("2026-01-31 12:00", purchased(cycles=4)),
            ("2026-02-10 09:00", cancel()),
            ("2026-03-10 09:00", restore()),
            ("2026-03-10 09:30", restore(1)),
        ],
        until="2026-04-20 00:00",
        quoted=(("2026-03-10 09:30", restore(1)),),
    ),
    Example(
        title="Canceled in the last period, and restored",
        rule="The term is in its last period again.",
        steps=[
            ("2026-01-31 12:00", purchased(cycles=0)),
            ("2026-02-10 09:00", cancel()),
            ("2026-02-20 09:00", restore()),
        ],
        until="2026-02-25 00:00",
    ),
    Example(
        title="What a canceled term refuses",
        rule="Restore it first. Another cancellation changes nothing.",
        steps=[
            ("2026-01-31 12:00", purchased()),
            ("2026-02-10 09:00", cancel()),
            ("2026-02-10 09:05", cancel()),
            ("2026-02-10 09:10", renew(1)),
            ("2026-02-10 09:15", set_cycles(3)),
            ("2026-02-10 09:20", restore()),
            ("2026-02-10 09:25", restore()),
        ],
        until="2026-02-11 00:00",
    ),
)

REMINDERS: Final = (
    Example(
        title="Reminders of the last period, and while aging",
        rule="For a term with 0 cycles, reminders are published 30, 7 and 1 days before calls stop, and 7 and "
        "1 days before the DID is removed.",
        steps=[("2026-01-31 12:00", purchased(months=3, cycles=0))],
        until="2026-07-01 00:00",
        reminders=True,
    ),
    Example(
        title="Reminders of a canceled term",
        rule="Reminders are published 7 and 1 days before the DID is removed, and none before the paid time ends.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", cancel())],
        until="2026-05-01 00:00",
        reminders=True,
    ),
    Example(
        title="An end that becomes known late, and moves",
        rule="If several reminders are past when the end becomes known, only the nearest one is published, at "
        "once. When the end moves, the reminders start anew for the new end.",
        steps=[
            ("2026-01-31 12:00", purchased()),
            ("2026-02-24 09:00", set_cycles(0)),
            ("2026-02-26 09:00", renew(1)),
        ],
        until="2026-04-10 00:00",
        reminders=True,
    ),
    Example(
        title="Reminders of a registration that is not completed",
        rule="While details are missing or rejected, the end of paid time removes the DID. While a reviewer "
        "has them, the end of paid time brings a free day, so no reminder is published.",
        steps=[
            ("2026-01-31 12:00", purchased(months=3)),
            ("2026-04-20 09:00", registration("pending")),
            ("2026-04-28 09:00", registration("rejected")),
        ],
        until="2026-05-10 00:00",
        answer="awaiting",
        reminders=True,
    ),
    Example(
        title="A reminder on the day of the purchase",
        rule="If the first period has 30 days or fewer, the first reminder is due at the purchase or before it. "
        "While details are missing, it is then published at once.",
        steps=[("2026-01-31 12:00", purchased())],
        until="2026-03-05 00:00",
        answer="awaiting",
        reminders=True,
    ),
)

FROM_INVENTORY: Final = (
    Example(
        title="Inventory refuses the purchase",
        rule="Every charge is reversed, entry by entry.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-01-31 12:00:05", purchase_refused())],
        until="2026-03-05 00:00",
        assigned=False,
        answer=None,
    ),
    Example(
        title="The number is ported out",
        rule="Inventory withdraws a DID that is ported out, is returned, or whose hold ends. Its term is "
        "closed without a refund.",
        steps=[("2026-01-31 12:00", purchased()), ("2026-02-10 09:00", withdrawn("ported_out"))],
        until="2026-03-05 00:00",
    ),
    Example(
        title="A number without a price",
        rule="A number that was handed out, picked or imported has no price. Its term never expires and cannot"
        " be changed.",
        steps=[
            ("2026-01-31 12:00", purchased(price=None)),
            ("2026-02-10 09:00", renew(1)),
            ("2026-02-10 09:05", cancel()),
            ("2027-01-31 12:00", withdrawn("returned")),
        ],
        until="2027-03-01 00:00",
    ),
    Example(
        title="Ported in",
        rule="Nothing is charged while the number is ported in. The term starts with the purchase that ends "
        "the porting.",
        steps=[
            ("2026-01-31 12:00", porting_started()),
            ("2026-02-10 09:00", purchased(acquired="ported_in")),
        ],
        until="2026-03-15 00:00",
    ),
    Example(
        title="A porting that fails after it was charged",
        rule="If the purchase arrives before the failure of the porting, every charge is reversed: the account "
        "never had the number.",
        steps=[
            ("2026-01-31 12:00", porting_started()),
            ("2026-02-10 09:00", purchased(acquired="ported_in")),
            ("2026-02-10 09:00:05", withdrawn("porting_failed")),
        ],
        until="2026-03-15 00:00",
        assigned=False,
        answer=None,
    ),
    Example(
        title="Ported in for one period",
        rule="With 0 cycles the first period is the last.",
        steps=[
            ("2026-01-31 12:00", porting_started()),
            ("2026-02-10 09:00", purchased(acquired="ported_in", cycles=0)),
        ],
        until="2026-03-15 00:00",
    ),
)
