"""Portings over HTTP."""

from functools import partial

from starlette.responses import Response

from didflow_chassis.http import Http, Router
from didflow_inventory.api.bodies import PortingBody
from didflow_inventory.api.did_lookup import row_of
from didflow_inventory.api.responses import did_json
from didflow_inventory.domain.commands import StartPorting
from didflow_inventory.domain.holding.commands import CancelPorting
from didflow_inventory.domain.my_numbers.answer import DidAnswer

router = Router(tags=["purchases"])


@router.post("/portings", action="port_in", status_code=201, response_model=DidAnswer)
async def start_porting(http: Http, body: PortingBody) -> Response:
    """Start to port a number in. The answer is 201 with the new DID, or 200 with that which the same order made.

    The purchase with the same `did_id` and `acquired` ported_in completes it.
    """
    data = body.data()
    command = StartPorting(entity_id=data.did_id, subject=data.number, caller=http.caller, data=data)
    return await http.run(command, status=201, render=partial(did_json, caller=http.caller), required=True)


@router.post("/portings/{did}/cancel", action="cancel_porting", response_model=DidAnswer)
async def cancel_porting(http: Http, did: str) -> Response:
    """Cancel a porting. The DID is removed; it can be read by its id."""
    row = await row_of(http, did)
    command = CancelPorting(entity_id=row["did_id"], subject=row["number"], caller=http.caller)
    return await http.run(command, render=partial(did_json, caller=http.caller))
