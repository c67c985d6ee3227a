"""A term begins: by a purchase, or without a price while a number is being ported in.

One DID is purchased once: whatever comes again under its `did_id` changes nothing.
"""

from datetime import datetime

from msgspec.structs import replace

from didflow_billing.domain import said
from didflow_billing.domain.ledger import charge
from didflow_billing.domain.paid import begun, paid
from didflow_billing.domain.term import Term, moved, running_state
from didflow_chassis.decision import Decided, Decision, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPortingStarted, DidPurchased
from didflow_contracts.events.purchase import Acquisition, Price
from didflow_contracts.topics import INVENTORY, SOURCES


def on_purchased(term: Term | None, event: Event[DidPurchased], now: datetime) -> Decision:
    """Start the term, posting setup and first period; without a price it is `none` and costs nothing.

    After a port-in the term that was `none` starts now. Refused `not_yours` where an outside source names
    another account than the one that the DID belongs to. Source: spec lifecycle, Term; spec events.
    """
    if term is not None:
        known = _already_known(term, event)
        if known is not None:
            return known
        if term.purchased_at is not None:
            return Unchanged()
    data = event.data
    since = data.purchased_at or event.time
    before = _bought(term or _unpriced(data), data, since)
    if data.price is None or data.billing_period is None:
        return Decided(state=before, events=() if term else (said.changed(before, "started"),))
    priced = replace(before, price=data.price, cycles_left=data.billing_cycles)
    return _started(begun(priced, data.billing_period, since), data.price, now)


def on_porting_started(term: Term | None, event: Event[DidPortingStarted], now: datetime) -> Decision:  # noqa: ARG001
    """Hold the term as `none` until the purchase that ends the porting. Source: spec lifecycle, The axes."""
    if term is not None:
        return _already_known(term, event) or Unchanged()
    fresh = _unpriced(event.data)
    return Decided(state=fresh, events=(said.changed(fresh, "started"),))


def _already_known(term: Term, event: Event[DidPurchased] | Event[DidPortingStarted]) -> Decision | None:
    """Judge what comes for a DID that exists; None lets the purchase after a port-in go on."""
    data = event.data
    outside = not event.source.startswith(SOURCES[INVENTORY])
    if outside and data.account not in (term.payer, term.account):
        return Refused("not_yours", f"the DID belongs to another account than {data.account}", "account")
    if data.number != term.number:
        return Refused("did_id_taken", "this did_id names a DID with another number", "did_id")
    return Unchanged() if term.state == "closed" else None


def _unpriced(data: Acquisition) -> Term:
    return Term(
        did_id=data.did_id,
        number=data.number,
        account=data.account,
        payer=data.account,
        order_id=data.order_id,
    )


def _bought(term: Term, data: DidPurchased, since: datetime) -> Term:
    holder = term.account if term.accepted else data.account
    return replace(term, account=holder, payer=data.account, order_id=data.order_id, purchased_at=since)


def _started(priced: Term, price: Price, now: datetime) -> Decided[Term]:
    started = moved(priced, running_state(priced.cycles_left))
    charged, setup = charge(started, "setup", price.setup.rounded(), now)
    charged, first = paid(charged, "recurring", now, start=started.period_start)
    events = (said.changed(charged, "started"), said.posted(charged, setup), said.posted(charged, first))
    return Decided(state=charged, also=(setup, first), events=events)
