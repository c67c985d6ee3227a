"""A term is closed: inventory refused the purchase or withdrew the DID, or billing removes the DID.

Closing is final. `did.removed` is published in every case, except for a refused purchase, which never made a DID.
"""

from datetime import datetime

from didflow_billing.domain import events
from didflow_billing.domain.ledger import LedgerEntry, refund
from didflow_billing.domain.term import Term, transition
from didflow_chassis.decision import Decided, Decision, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidWithdrawn, PurchaseRefused
from didflow_contracts.vocabulary import RemovalReason


def on_purchase_refused(term: Term | None, event: Event[PurchaseRefused], now: datetime) -> Decision:  # noqa: ARG001
    """Reverse every charge of a purchase that inventory refused, and close the term.

    A term that was closed without a refund is refunded then. Source: spec events, purchase.refused.
    """
    if term is None:
        return TooEarly("did.purchased")
    if term.state == "closed" and not term.charges:
        return Unchanged()
    if term.accepted:
        return Refused("purchase_accepted", "Inventory has already given the number to this DID.")
    after, entries = refund(transition(term, "closed", event.time, aging_until=None), event.time)
    published = _ledger_posted(after, entries)
    if term.state != "closed":
        published = (*published, events.term_changed(after, "closed"))
    return Decided(state=after, also=entries, events=published)


def on_withdrawn(term: Term | None, event: Event[DidWithdrawn], now: datetime) -> Decision:  # noqa: ARG001
    """Close the term of a DID that inventory withdrew, without refund. Source: spec lifecycle, Stock and holders.

    A number whose porting failed was never had: if its purchase has overtaken the failure, the charges are reversed.
    """
    if term is None:
        return TooEarly("did.purchased")
    if term.state == "closed":
        return Unchanged()
    never_had = event.data.reason == "porting_failed" and bool(term.charges)
    return remove(term, event.data.reason, event.time, refunded=never_had)


def remove(term: Term, reason: RemovalReason, at: datetime, *, refunded: bool = False) -> Decided[Term]:
    """Close the term and remove the DID. With `refunded`, every charge is reversed first."""
    after = transition(term, "closed", at, aging_until=None)
    entries: tuple[LedgerEntry, ...] = ()
    if refunded:
        after, entries = refund(after, at)
    ended = (events.term_changed(after, "closed"), events.did_removed(after, reason, refunded=refunded))
    return Decided(state=after, also=entries, events=(*_ledger_posted(after, entries), *ended))


def _ledger_posted(term: Term, entries: tuple[LedgerEntry, ...]) -> tuple[EventData, ...]:
    return tuple(events.ledger_posted(term, entry) for entry in entries)
