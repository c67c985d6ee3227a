"""The start of a DID's routing: a purchase or a porting."""

from datetime import datetime

from didflow_chassis.decision import Decided, Decision, Refused, Unchanged
from didflow_contracts.envelope import Event
from didflow_contracts.events.purchase import Acquisition
from didflow_contracts.ownership import contradicts_owner
from didflow_provisioning.domain.routing import Routing

PURCHASE = "did.purchased"
"""What a message about an unknown DID waits for."""


def on_purchased(routing: Routing | None, event: Event[Acquisition], now: datetime) -> Decision:  # noqa: ARG001
    """Create the routing. No command is sent before inventory has assigned the number to the DID.

    Refused: `did_id_taken`, and `not_yours` if an outside source names another account.
    """
    data = event.data
    if routing is None:
        return Decided(
            state=Routing(
                did_id=data.did_id,
                number=data.number,
                account=data.account,
                features=data.features,
                carrier=data.carrier,
                sms_carrier=data.sms_carrier,
            )
        )
    if routing.number != data.number:
        return Refused(
            "did_id_taken", "This did_id belongs to a DID with another number. Use a new did_id.", "did_id"
        )
    if contradicts_owner(event, routing.account):
        return Refused(
            "not_yours", "The DID belongs to another account. Send the account of its holder.", "account"
        )
    return Unchanged()
