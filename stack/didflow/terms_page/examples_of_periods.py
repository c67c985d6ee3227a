"""Examples of periods: the calendar, cycles, renewals, amounts and late timers."""

from typing import Final

from didflow.terms_page.life import Example
from didflow.terms_page.messages import Price, listed, price_row, purchased, renew, set_cycles

PERIODS: Final = (
    Example(
        title="Bought on 31 January",
        rule="Periods are calendar months, counted from the purchase. If a month has no such day, its last day"
        " is taken. The day of the purchase is kept, so the end returns to it. Daylight saving changes "
        "nothing: instants are UTC.",
        steps=[("2026-01-31 12:00", purchased())],
        until="2026-05-10 00:00",
    ),
    Example(
        title="Bought on 29 February, for a year",
        rule="In other years the period ends on 28 February. In the next leap year it ends on 29 February "
        "again.",
        steps=[("2028-02-29 12:00", purchased(months=12))],
        until="2032-03-01 00:00",
    ),
    Example(
        title="One cycle, to the end",
        rule="The cycles are the renewals that are left. The renewal that leaves 0 is the last one. At the end"
        " of that period calls stop, and the DID ages for 34 days. Then it is removed, and the number "
        "goes back to the carrier, or to the stock that it came from.",
        steps=[("2026-01-31 12:00", purchased(cycles=1))],
        until="2026-06-01 00:00",
    ),
    Example(
        title="Bought for one period, then kept",
        rule="With 0 cycles the first period is the last. Cycles can be set until it ends; nothing is charged "
        "for that.",
        steps=[
            ("2026-01-31 12:00", purchased(cycles=0)),
            ("2026-02-10 09:00", set_cycles(2)),
            ("2026-02-10 09:05", set_cycles(2)),
            ("2026-03-05 09:00", set_cycles(None)),
        ],
        until="2026-05-10 00:00",
    ),
    Example(
        title="Renewed early",
        rule="While time is paid, a renewal adds its months to the end of that time. The cycles stay as they "
        "are. The months become the billing period of the DID.",
        steps=[("2026-01-31 12:00", purchased(cycles=1)), ("2026-02-10 09:00", renew(3))],
        until="2026-06-10 00:00",
    ),
    Example(
        title="Renewed while aging",
        rule="When no time is paid, a renewal starts now, and periods are counted from now. No cycles are "
        "left, so the new period is the last one until cycles are set.",
        steps=[
            ("2026-01-31 12:00", purchased(cycles=0)),
            ("2026-03-10 09:00", set_cycles(1)),
            ("2026-03-10 09:30", renew(1)),
            ("2026-03-10 09:45", set_cycles(1)),
        ],
        until="2026-05-15 00:00",
    ),
)

INSTANTS: Final = (
    Example(
        title="One second before the end of paid time",
        rule="The term has not ended, so the cycles can be set. It renews one second later.",
        steps=[("2026-01-31 12:00", purchased(cycles=0)), ("2026-02-28 11:59:59", set_cycles(1))],
        until="2026-03-01 00:00",
    ),
    Example(
        title="At the end of paid time",
        rule="What is due is done first. The term has ended, so the same request is refused.",
        steps=[("2026-01-31 12:00", purchased(cycles=0)), ("2026-02-28 12:00", set_cycles(1))],
        until="2026-03-01 00:00",
    ),
    Example(
        title="34 days minus one second",
        rule="The DID is still there and can be renewed.",
        steps=[("2026-01-31 12:00", purchased(cycles=0)), ("2026-04-03 11:59:59", renew(1))],
        until="2026-04-04 00:00",
    ),
    Example(
        title="34 days",
        rule="The DID is removed. Requests no longer find it.",
        steps=[("2026-01-31 12:00", purchased(cycles=0)), ("2026-04-03 12:00", renew(1))],
        until="2026-04-04 00:00",
    ),
    Example(
        title="A clock that is stopped for 400 days",
        rule="Everything that was due is done when the clock runs again, each at its own instant. `posted_at` "
        "of an entry is the instant that it is for.",
        steps=[("2026-01-31 12:00", purchased(months=3, cycles=2))],
        until="2027-04-19 12:00",
        stopped=("2026-03-15 12:00", "2027-04-19 12:00"),
    ),
)

AMOUNTS: Final = (
    Example(
        title="Three months in yen",
        rule="A period of n months costs n times the monthly price. The product is rounded once, to the minor "
        "unit of the currency; halves are rounded up. The yen has no minor unit.",
        steps=[
            (
                "2026-01-31 12:00",
                purchased(months=3, price=Price(setup="100", recurring="100.5", currency="JPY")),
            )
        ],
        until="2026-05-01 00:00",
    ),
    Example(
        title="Three months in Kuwaiti dinars",
        rule="The dinar has three decimal places.",
        steps=[
            (
                "2026-01-31 12:00",
                purchased(months=3, price=Price(setup="1", recurring="1.2345", currency="KWD")),
            )
        ],
        until="2026-05-01 00:00",
    ),
)

PRICE_LIST: Final = (
    Example(
        title="The price list changes",
        rule="A purchase that names no price takes the row that is in force at its instant. The price of a "
        "term is that of its purchase, so a later row changes no renewal.",
        prices=[
            ("2026-01-10 09:00", price_row("2026-01-15 00:00", recurring="5.00")),
            ("2026-01-11 09:00", price_row("2026-02-15 00:00", recurring="6.00")),
        ],
        steps=[("2026-01-31 12:00", listed())],
        until="2026-03-05 00:00",
    ),
    Example(
        title="The first instant of a new price",
        rule="A row is in force from its first instant on.",
        prices=[
            ("2026-01-10 09:00", price_row("2026-01-15 00:00", recurring="5.00")),
            ("2026-01-11 09:00", price_row("2026-02-15 00:00", recurring="6.00")),
        ],
        steps=[("2026-02-15 00:00", listed())],
        until="2026-02-20 00:00",
    ),
    Example(
        title="No row of the price list",
        rule="Without a row the DID is removed at once, and nothing is charged.",
        prices=[("2026-01-10 09:00", price_row("2026-02-15 00:00", recurring="6.00"))],
        steps=[("2026-01-31 12:00", listed())],
        until="2026-02-05 00:00",
        assigned=False,
        answer=None,
    ),
)
