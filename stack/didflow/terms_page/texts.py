"""The texts of the page about terms, apart from its tables."""

from typing import Final

HEAD: Final = """\
# The term of a DID

This page is generated: `python -m didflow.terms_page > docs/terms.md`. A test compares it with the code. The tables
are made by running each example: they show what billing decides.

The **term** is the paid life of a DID. Time is paid for a **period** of 1, 3, 6 or 12 calendar months. At the end of
paid time (`expires_at`) the term renews by itself as often as its **cycles** say: `null` is without limit, `0` is not
at all. A term that has ended is kept for 34 days, in which the DID can come back. Then the DID is removed.

| state | calls | what it means |
|---|---|---|
| `none` | go on | the DID has no price; the term never ends and cannot be changed |
| `active` | go on | time is paid, and at least one renewal is left |
| `delayed_removal` | go on | time is paid, and no renewal is left: this is the last period |
| `canceled` | stopped | canceled; can be restored, free of charge until `expires_at` |
| `aging` | stopped | paid time has ended; can be renewed until `aging_until` |
| `closed` | stopped | the DID is removed, for good |

"Calls" is what the term does to calls and messages. They also need a registration, a carrier and a target.
`canceled`, `aging` and `closed` are called **ended**.

**Instants are exclusive.** A term that is paid until 12:00:00 has ended at 12:00:00; at 11:59:59 it has not. A DID
that ages until 12:00:00 can be renewed at 11:59:59 and is removed at 12:00:00. Before a request or an event is
decided, everything that was due before it or at the same instant is done.

## Transitions

What is not in the table is impossible. A renewal keeps the state, except as the table says.

"""

PERIODS: Final = """\
## Periods and renewals

`entries` are the entries of the [ledger](ledger.md): what the payer is charged (setup, the first period as
`recurring`, each later one as `renewal`), and refunds.
"""

INSTANTS: Final = """\
## The exact instant
"""

AMOUNTS: Final = """\
## Amounts
"""

TWO_WAYS: Final = """\
## Two ways to end a term

`cancel` stops calls now, although paid time remains. To keep calls until the paid time ends, set the cycles to `0`
instead. `POST /v1/terms/quote` says what an action would do before you do it.
"""

CANCELED: Final = """\
## Cancel and restore
"""

REGISTRATION: Final = """\
## Cancel before the registration is completed

A registration is **completed** when it was once approved, or when none was required. From then on nothing is ever
refunded because of it.
"""

FIRST_PERIOD: Final = """\
## The end of the first period

If the registration has not been completed, the end of paid time removes the DID, or gives a free day while a reviewer
still has the details.
"""

REMINDERS: Final = """\
## Reminders

Before a term ends by itself, billing publishes `term.expiring`, each reminder once. Order systems, webhooks and the
history of the number get it. A term that renews has none. The other tables of this page leave reminders out.
"""

FROM_INVENTORY: Final = """\
## What comes from inventory
"""
