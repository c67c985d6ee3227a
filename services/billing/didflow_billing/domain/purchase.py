"""A term starts: with a purchase, or without a price while a number is ported in.

A purchase that names no price gets that of the price list. A DID is purchased once. A second purchase with the same
`did_id` changes nothing.
"""

from datetime import datetime
from functools import partial

from msgspec.structs import replace

from didflow_billing.domain import events
from didflow_billing.domain.ledger import charge
from didflow_billing.domain.periods import charge_period, start_period
from didflow_billing.domain.prices.lookup import is_looked_up, keys_of_purchase, price_in_force
from didflow_billing.domain.prices.row import PriceSeries
from didflow_billing.domain.removal import remove
from didflow_billing.domain.term import Term, running_state, transition
from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPortingStarted, DidPurchased
from didflow_contracts.events.purchase import Acquisition, Price
from didflow_contracts.ownership import contradicts_owner


def on_purchased(term: Term | None, event: Event[DidPurchased], now: datetime, known: Known) -> Decision:  # noqa: ARG001
    """Start the term and post setup and first period. Without a price the state is `none` and nothing is posted.

    Both entries are for the instant of the purchase, however late its event arrives. After a port-in, the term in
    state `none` starts then. A purchase for which the price list has no price is removed.
    Source: spec lifecycle, Term; spec events, Topics; spec billing, Prices.
    """
    if term is not None:
        decided = _decide_known(term, event)
        if decided is not None:
            return decided
        if term.purchased_at is not None:
            return Unchanged()
    data = event.data
    purchased_at = data.purchased_at or event.time
    purchased = _with_purchase(term or _unpriced(data), data, purchased_at)
    price = data.price
    if is_looked_up(data):
        price = price_in_force(keys_of_purchase(data), partial(known.get, PriceSeries), purchased_at)
        if price is None:
            return remove(purchased, "no_price", purchased_at)
    if price is None or data.billing_period is None:
        published = () if term else (events.term_changed(purchased, "started"),)
        return Decided(state=purchased, events=published)
    priced = replace(purchased, price=price, cycles_left=data.billing_cycles)
    return _start(start_period(priced, data.billing_period, purchased_at), price, purchased_at, event.time)


def on_porting_started(term: Term | None, event: Event[DidPortingStarted], now: datetime) -> Decision:  # noqa: ARG001
    """Keep a term in state `none` until the purchase that completes the porting. Source: spec lifecycle, The axes."""
    if term is not None:
        return _decide_known(term, event) or Unchanged()
    unpriced = _unpriced(event.data)
    return Decided(state=unpriced, events=(events.term_changed(unpriced, "started"),))


def _decide_known(term: Term, event: Event[DidPurchased] | Event[DidPortingStarted]) -> Decision | None:
    """Decide an event about a known DID. None means that it can be the purchase after a port-in."""
    if contradicts_owner(event, term.account):
        return Refused("not_yours", f"The DID is not held by account {event.data.account}.", "account")
    if event.data.number != term.number:
        return Refused("did_id_taken", "Another number already has this did_id.", "did_id")
    return Unchanged() if term.state == "closed" else None


def _unpriced(data: Acquisition) -> Term:
    return Term(
        did_id=data.did_id,
        number=data.number,
        account=data.account,
        payer=data.account,
        order_id=data.order_id,
    )


def _with_purchase(term: Term, data: DidPurchased, purchased_at: datetime) -> Term:
    holder = term.account if term.accepted else data.account
    return replace(
        term, account=holder, payer=data.account, order_id=data.order_id, purchased_at=purchased_at
    )


def _start(priced: Term, price: Price, at: datetime, known_at: datetime) -> Decided[Term]:
    started = transition(priced, running_state(priced.cycles_left), known_at)
    charged, setup = charge(started, "setup", price.setup.rounded(), at)
    charged, first = charge_period(charged, "recurring", at, start=started.period_start)
    posted = tuple(events.ledger_posted(charged, entry) for entry in (setup, first))
    return Decided(
        state=charged, also=(setup, first), events=(events.term_changed(charged, "started"), *posted)
    )
