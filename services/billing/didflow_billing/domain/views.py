"""The axes of other services as billing last received them: stock (who holds the DID) and registration.

Both are also applied to a closed term. Nothing follows from that, but the stored view is then the same in
whatever order the events arrive.
"""

from datetime import datetime
from typing import Final

from didflow_billing.domain.term import COMPLETED, Term, transition
from didflow_chassis.decision import Decided, Decision, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged
from didflow_contracts.events.registration import RegistrationAxis
from didflow_contracts.sequences import is_newer, with_sequence
from didflow_contracts.vocabulary import DidStock

STOCK: Final = "stock"
REGISTRATION: Final = "registration"
ASSIGNED: Final[frozenset[DidStock]] = frozenset(("assigned", "blocked", "on_hold"))
"""The states in which inventory has given the number to the DID. One that is being ported in can still fail."""


def on_did_changed(term: Term | None, event: Event[DidChanged], now: datetime) -> Decision:  # noqa: ARG001
    """Store the holder. An assigned DID also proves that inventory accepted the purchase. The payer never changes.

    Source: spec lifecycle, Stock and holders; spec events, Topics.
    """
    if term is None:
        return TooEarly("did.purchased")
    if not is_newer(term.sequences, STOCK, event):
        return Unchanged()
    sequences = with_sequence(term.sequences, STOCK, event)
    accepted = term.accepted or event.data.stock in ASSIGNED
    after = transition(
        term, term.state, event.time, sequences=sequences, account=event.data.account, accepted=accepted
    )
    return Decided(state=after)


def on_registration_changed(
    term: Term | None,
    event: Event[RegistrationAxis],
    now: datetime,  # noqa: ARG001
) -> Decision:
    """Store the registration. The first event makes the term due, counted from the purchase.

    `completed` stays True once an event has proved it, even an outdated one. Nothing is published or charged here:
    the timers settle what is due.
    Source: spec lifecycle, Settle first and Registration never completed; spec events, Topics.
    """
    if term is None:
        return TooEarly("did.purchased")
    registration = event.data.registration
    completed = term.completed or registration in COMPLETED
    if is_newer(term.sequences, REGISTRATION, event):
        sequences = with_sequence(term.sequences, REGISTRATION, event)
        after = transition(
            term,
            term.state,
            event.time,
            sequences=sequences,
            registration=registration,
            completed=completed,
        )
        return Decided(state=after)
    if completed != term.completed:
        return Decided(state=transition(term, term.state, event.time, completed=completed))
    return Unchanged()
