"""The texts of the page about terms, apart from its tables."""

from collections.abc import Mapping
from typing import Final

from didflow_billing.domain.effect import CallsEffect
from didflow_contracts.vocabulary import TermState

HEAD: Final = """\
# The term of a DID

This page is generated: `python -m didflow.terms_page > docs/terms.md`. A test compares it with the code. The tables
are made by running each example: they show what billing decides.

The **term** is the paid life of a DID. Time is paid for a **period** of 1, 3, 6 or 12 calendar months. At the end of
paid time (`expires_at`) the term renews by itself as often as its **cycles** say: `null` is without limit, `0` is not
at all. A DID whose paid time has ended is kept for 34 days. Until then it can be renewed or restored. Then it is
removed.

"""

STATES: Final[Mapping[TermState, str]] = {
    "none": "go on | the DID has no price; the term never expires and cannot be changed",
    "active": "go on | time is paid, and the term renews at its end",
    "delayed_removal": "go on | time is paid, and no renewal is left: this is the last period",
    "canceled": "stopped | canceled; can be restored, free of charge until `expires_at`",
    "aging": "stopped | paid time has ended; can be renewed until `aging_until`",
    "closed": "stopped | the DID is removed, for good",
}
"""State -> what it does to calls, and what it means."""

TIME: Final = """
"Calls" is what the term does to calls and messages. They also need a registration, a carrier and a target.
`canceled`, `aging` and `closed` are called **ended**.

**Time is half-open**: it includes its start and not its end. A term that is paid until 12:00:00 has ended at
12:00:00; at 11:59:59 it has not. A DID that ages until 12:00:00 can be renewed at 11:59:59 and is removed at
12:00:00. Before a request or an event is decided, everything that was due before it or at the same instant is done.

## Transitions

What is not in the table is impossible. A renewal keeps the state, except as the table says. **Withdrawn** means that
[inventory](#what-comes-from-inventory) withdraws the DID, and **refused** that it refuses the purchase.
**Registration not completed** means a [cancellation](#cancel-before-the-registration-is-completed) or the
[end of paid time](#the-end-of-the-first-period) before the registration is completed.

"""

QUOTE: Final = """
## What an action would do

`POST /v1/terms/quote` takes an action and its body, and says what the action would do to each DID. Nothing is changed.
The quote makes the same decision as the action, so at the same instant both do the same. For all DIDs together, it
says how many lose calls now (`calls_stop_now`), how many are removed (`removed`), and the `charges` and `refunds` of
each currency. This is the answer about one DID, for the action `cancel`:

"""

CALLS: Final[Mapping[CallsEffect, str]] = {
    "go_on": "nothing stops them",
    "stop_later": "they go on until `calls_stop_at`",
    "stop_now": "the action stops them",
    "start_now": "the action brings them back; they go on until `calls_stop_at`, if it is not null",
    "stopped": "they are stopped, and stay so",
}
"""`calls` of a quote -> what it means."""

QUOTE_END: Final = """
Every instant is the one that follows if nothing else is done. If `outcome` is `refused` or `unchanged`, the fields say
what follows from the term as it is. `message` says the same in words, and can change; programs use the other fields.
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

PRICE_LIST: Final = """\
## The price list

A purchase that names no price gets that of [the price list](prices.md).
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

Before a term ends by itself, billing publishes `term.expiring`. Each reminder is published once. Order systems
[receive it](../contracts/README.md#reminders-before-a-number-ends), and inventory adds it to the history of the
number. A term that renews has no reminder. The other tables of this page leave reminders out.
"""

FROM_INVENTORY: Final = """\
## What comes from inventory
"""
