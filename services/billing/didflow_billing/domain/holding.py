"""What billing hears of a DID's holding: who holds it now. Who pays is settled at the purchase, for good."""

from datetime import datetime

from didflow_billing.domain.axes import is_newer, noted
from didflow_billing.domain.term import Term, moved
from didflow_chassis.decision import Decided, Decision, TooEarly, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidChanged


def on_did_changed(term: Term | None, event: Event[DidChanged], now: datetime) -> Decision:  # noqa: ARG001
    """Keep the holder; that there is one proves that inventory accepted the purchase.

    It is heard on a closed term too, so that the last holder is the same in whatever order events come.
    Source: spec lifecycle, Stock and holders; spec events, Topics.
    """
    if term is None:
        return TooEarly("did.purchased")
    if not is_newer(term, event, "stock"):
        return Unchanged()
    heard = noted(term, event, "stock")
    return Decided(state=moved(heard, heard.state, account=event.data.account, accepted=True))
