"""The routes of carriers and operators. They are named by their ids, a carrier by its name too."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router
from didflow_inventory.api.suppliers.bodies import (
    CarrierBody,
    CarrierChangeBody,
    OperatorBody,
    OperatorChangeBody,
)
from didflow_inventory.api.suppliers.responses import (
    CarrierResponse,
    OperatorResponse,
    carrier_json,
    operator_json,
)
from didflow_inventory.domain.accounts import commands as c
from didflow_inventory.domain.accounts.carriers import carrier_id_of
from didflow_inventory.domain.accounts.operators import operator_id_of
from didflow_inventory.store import suppliers as queries

router = Router(tags=["carriers"])


@router.post("/carriers", action="manage_carriers", status_code=201, response_model=CarrierResponse)
async def create_carrier(http: Http, body: CarrierBody) -> Response:
    """Create a carrier for an account and those below it. The same again is answered with 200."""
    command = c.CreateCarrier(
        entity_id=carrier_id_of(body.name),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        name=body.name,
        kind=body.kind,
    )
    return await http.run(command, status=201, render=carrier_json)


@router.get("/carriers", action="read_accounts")
async def list_carriers(http: Http) -> Page:
    """List the carriers of your accounts, and those of the accounts above that serve you."""
    return await http.page(
        queries.carriers_for(http.caller), sort=queries.CARRIER_SORTS, render=_carrier_of_row
    )


@router.get("/carriers/{carrier}", action="read_accounts", response_model=CarrierResponse)
async def show_carrier(http: Http, carrier: str) -> Mapping[str, Any]:
    """Show one carrier."""
    rows = await http.rows(queries.one_carrier(http.caller, _carrier_id(carrier)))
    if not rows:
        raise http.problem(404, "not_found", "No such carrier in your accounts.")
    return _carrier_of_row(rows[0])


@router.patch("/carriers/{carrier}", action="manage_carriers", response_model=CarrierResponse)
async def change_carrier(http: Http, carrier: str, body: CarrierChangeBody) -> Response:
    """Change a carrier of your accounts. 409 `in_use` if something uses it for what the kind does not carry."""
    command = c.ChangeCarrier(
        entity_id=_carrier_id(carrier), subject="", caller=http.caller, changes=body.changes()
    )
    return await http.run(command, render=carrier_json)


@router.delete("/carriers/{carrier}", action="manage_carriers", status_code=204, response_model=None)
async def delete_carrier(http: Http, carrier: str) -> Response:
    """Delete a carrier. 409 `in_use` while a live number, a number in stock or an account uses it."""
    command = c.DeleteCarrier(entity_id=_carrier_id(carrier), subject="", caller=http.caller)
    return await http.run(command, status=204)


@router.post("/operators", action="manage_operators", status_code=201, response_model=OperatorResponse)
async def create_operator(http: Http, body: OperatorBody) -> Response:
    """Create an operator for an account and those below it. The same again is answered with 200."""
    account = body.account or http.caller.account
    command = c.CreateOperator(
        entity_id=operator_id_of(account, body.name),
        subject="",
        caller=http.caller,
        account=account,
        name=body.name,
        countries=tuple(body.countries),
        notes=body.notes,
    )
    return await http.run(command, status=201, render=operator_json)


@router.get("/operators", action="read_accounts")
async def list_operators(http: Http) -> Page:
    """List the operators of your accounts, and those of the accounts above that serve you."""
    return await http.page(
        queries.operators_for(http.caller), sort=queries.OPERATOR_SORTS, render=_operator_of_row
    )


@router.get("/operators/{operator_id}", action="read_accounts", response_model=OperatorResponse)
async def show_operator(http: Http, operator_id: UUID) -> Mapping[str, Any]:
    """Show one operator."""
    rows = await http.rows(queries.one_operator(http.caller, operator_id))
    if not rows:
        raise http.problem(404, "not_found", "No such operator in your accounts.")
    return _operator_of_row(rows[0])


@router.patch("/operators/{operator_id}", action="manage_operators", response_model=OperatorResponse)
async def change_operator(http: Http, operator_id: UUID, body: OperatorChangeBody) -> Response:
    """Change an operator of your accounts."""
    command = c.ChangeOperator(entity_id=operator_id, subject="", caller=http.caller, changes=body.changes())
    return await http.run(command, render=operator_json)


@router.delete("/operators/{operator_id}", action="manage_operators", status_code=204, response_model=None)
async def delete_operator(http: Http, operator_id: UUID) -> Response:
    """Delete an operator. 409 `in_use` while a number in stock, or a DID that returns to the stock, names it."""
    command = c.DeleteOperator(entity_id=operator_id, subject="", caller=http.caller)
    return await http.run(command, status=204)


def _carrier_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return carrier_id_of(text)


def _carrier_of_row(row: Any) -> Mapping[str, Any]:
    return carrier_json(queries.carrier_of_row(row))


def _operator_of_row(row: Any) -> Mapping[str, Any]:
    return operator_json(queries.operator_of_row(row))
