"""Changes of DIDs by their holders: edits, handovers, holds, blocks, port-outs and returns."""

from functools import partial
from typing import Any

from starlette.responses import Response

from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Router
from didflow_chassis.http.routes import check_role
from didflow_inventory.api.did_lookup import entities, row_of
from didflow_inventory.api.holding.bodies import (
    AssignAccountBody,
    AssignUserBody,
    BatchEditBody,
    DidsBody,
    EditBody,
    HoldBody,
)
from didflow_inventory.api.responses import did_json
from didflow_inventory.domain.holding import commands as c
from didflow_inventory.domain.holding.rules import NOT_FOUND
from didflow_inventory.domain.my_numbers.answer import DidAnswer

router = Router(tags=["numbers"])


@router.patch("/dids/{did}", action=("edit", "edit_description"), response_model=DidAnswer)
async def edit_did(http: Http, did: str, body: EditBody) -> Response:
    """Change fields of one DID. The role `user` changes the description alone."""
    if not body.is_description_alone():
        check_role(http.caller, ("edit",))
    row = await row_of(http, did)
    command = c.EditDid(
        entity_id=row["did_id"], subject=row["number"], caller=http.caller, edits=body.edits()
    )
    return await http.run(command, render=partial(did_json, caller=http.caller))


@router.batch("/dids/batch/edit", action="edit", item="did")
async def edit_dids(http: Http, body: BatchEditBody) -> BatchAnswer:
    """Change fields of DIDs, and add and remove tags."""
    return await _batch(http, body.dids, c.EditDid, edits=body.edits())


@router.batch("/dids/batch/assign-account", action="assign_account", item="did")
async def assign_account(http: Http, body: AssignAccountBody) -> BatchAnswer:
    """Hand DIDs to an account below your own. The payer stays."""
    return await _batch(http, body.dids, c.AssignAccount, account=body.account)


@router.batch("/dids/batch/assign-user", action="assign_user", item="did")
async def assign_user(http: Http, body: AssignUserBody) -> BatchAnswer:
    """Assign DIDs of an enterprise to one of its users, or unassign them."""
    return await _batch(http, body.dids, c.AssignUser, user_id=body.user_id)


@router.batch("/dids/batch/take-back", action="take_back", item="did")
async def take_back(http: Http, body: DidsBody) -> BatchAnswer:
    """Take DIDs back from accounts below. A number that your account uploaded returns to the stock."""
    return await _batch(http, body.dids, c.TakeBack)


@router.batch("/dids/batch/hold", action="hold", item="did")
async def hold(http: Http, body: HoldBody) -> BatchAnswer:
    """Put DIDs on hold: no calls and no messages. The term goes on."""
    return await _batch(http, body.dids, c.HoldDid, days=body.days, after_hold=body.after_hold)


@router.batch("/dids/batch/unhold", action="unhold", item="did")
async def unhold(http: Http, body: DidsBody) -> BatchAnswer:
    """End holds that were set by hand."""
    return await _batch(http, body.dids, c.UnholdDid)


@router.batch("/dids/batch/block", action="block", item="did")
async def block(http: Http, body: DidsBody) -> BatchAnswer:
    """Block DIDs: no calls and no messages. The term goes on."""
    return await _batch(http, body.dids, c.BlockDid)


@router.batch("/dids/batch/unblock", action="unblock", item="did")
async def unblock(http: Http, body: DidsBody) -> BatchAnswer:
    """Unblock DIDs that your account or one below it blocked."""
    return await _batch(http, body.dids, c.UnblockDid)


@router.batch("/dids/batch/return", action="return", item="did")
async def return_dids(http: Http, body: DidsBody) -> BatchAnswer:
    """End DIDs and return their numbers to the stock that they came from."""
    return await _batch(http, body.dids, c.ReturnDid)


@router.batch("/dids/batch/port-out", action="port_out", item="did")
async def port_out(http: Http, body: DidsBody) -> BatchAnswer:
    """End DIDs whose numbers leave for another operator."""
    return await _batch(http, body.dids, c.PortOut)


async def _batch(
    http: HttpContext, dids: list[str], command: type[c.DidCommand], **fields: Any
) -> BatchAnswer:
    """Decide one command of this type for each DID."""

    def command_for(entity: NamedEntity) -> c.DidCommand:
        return command(entity_id=entity.entity_id, subject=entity.subject, caller=http.caller, **fields)

    return await http.batch(dids, entities, command_for, absent=NOT_FOUND)
