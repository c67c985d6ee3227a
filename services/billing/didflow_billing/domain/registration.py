"""What billing hears of a DID's registration. The first word starts the clock, from the purchase on.

That a registration was once completed is never forgotten, in whatever order its events come.
"""

from datetime import datetime

from didflow_billing.domain.axes import is_newer, noted
from didflow_billing.domain.term import COMPLETED, Term, moved
from didflow_chassis.decision import Decided, Decision, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events.registration import RegistrationAxis


def on_verification(term: Term | None, event: Event[RegistrationAxis], now: datetime) -> Decision:  # noqa: ARG001
    """Keep the registration that the event says; its topic's name says nothing.

    Nothing is said and nothing is charged here: what has become due is settled by the clock. It is heard
    on a closed term too, where nothing follows from it, so that its last word is the same in every order.
    Source: spec lifecycle, Settle first and Registration never completed; spec events, Topics.
    """
    if term is None:
        return TooEarly("did.purchased")
    said = event.data.registration
    completed = term.completed or said in COMPLETED
    if is_newer(term, event, "registration"):
        heard = noted(term, event, "registration")
        return Decided(state=moved(heard, heard.state, registration=said, completed=completed))
    if completed != term.completed:
        return Decided(state=moved(term, term.state, completed=completed))
    return Unchanged()
