"""A term ends: refused, withdrawn, or removed by one of billing's own rules. Closed is for good.

A refused DID never was one, so it is closed without `did.removed`; every other end says it.
"""

from datetime import datetime

from didflow_billing.domain import said
from didflow_billing.domain.ledger import LedgerEntry, refund
from didflow_billing.domain.term import Term, moved
from didflow_chassis.decision import Decided, Decision, Refused, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidWithdrawn, PurchaseRefused
from didflow_contracts.vocabulary import RemovalReason


def on_refused(term: Term | None, event: Event[PurchaseRefused], now: datetime) -> Decision:  # noqa: ARG001
    """Take back all that was posted for a purchase that inventory refused, and close the term.

    What was closed before without a refund is refunded now. Refused `purchase_accepted` where inventory
    has given the number to this very DID before. Source: spec events, purchase.refused.
    """
    if term is None:
        return TooEarly("did.purchased")
    if term.state == "closed" and not term.charges:
        return Unchanged()
    if term.accepted:
        return Refused("purchase_accepted", "this DID holds its number; it cannot be refused any more")
    after, entries = refund(moved(term, "closed", aging_until=None), now)
    events = _posted(after, entries)
    if term.state != "closed":
        events = (*events, said.changed(after, "closed"))
    return Decided(state=after, also=entries, events=events)


def on_withdrawn(term: Term | None, event: Event[DidWithdrawn], now: datetime) -> Decision:
    """Close the term without refund, for an end that inventory decided.

    Source: spec lifecycle, Stock and holders.
    """
    if term is None:
        return TooEarly("did.purchased")
    if term.state == "closed":
        return Unchanged()
    return removed(term, event.data.reason, now)


def removed(term: Term, reason: RemovalReason, at: datetime, *, refunded: bool = False) -> Decided[Term]:
    """End a DID: close its term and say that it is gone; with `refunded` every charge is taken back first."""
    after = moved(term, "closed", aging_until=None)
    entries: tuple[LedgerEntry, ...] = ()
    if refunded:
        after, entries = refund(after, at)
    events = (said.changed(after, "closed"), said.removed(after, reason, refunded=refunded))
    return Decided(state=after, also=entries, events=(*_posted(after, entries), *events))


def _posted(term: Term, entries: tuple[LedgerEntry, ...]) -> tuple[EventData, ...]:
    return tuple(said.posted(term, entry) for entry in entries)
