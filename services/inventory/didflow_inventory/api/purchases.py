"""Purchases over HTTP."""

from functools import partial

from starlette.responses import Response

from didflow_chassis.http import Http, Router
from didflow_inventory.api.bodies import PurchaseBody
from didflow_inventory.api.responses import did_json
from didflow_inventory.domain.commands import Purchase
from didflow_inventory.domain.my_numbers.answer import DidAnswer

router = Router(tags=["purchases"])


@router.post("/purchases", action="purchase", status_code=201, response_model=DidAnswer)
async def create_purchase(http: Http, body: PurchaseBody) -> Response:
    """Purchase a number. The answer is 201 with the new DID, or 200 with the DID that the same order made before."""
    data = body.data()
    command = Purchase(entity_id=data.did_id, subject=data.number, caller=http.caller, data=data)
    return await http.run(command, status=201, render=partial(did_json, caller=http.caller), required=True)
