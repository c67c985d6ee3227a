"""The routes of users."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page, Router
from didflow_contracts.ids import uuid7
from didflow_contracts.names import parse_did
from didflow_inventory.api.did_lookup import entities
from didflow_inventory.api.users.bodies import UserBody, UserChangeBody
from didflow_inventory.api.users.responses import UserReference, UserResponse
from didflow_inventory.domain.accounts.commands import ChangeUser, CreateUser, DeleteUser, SetDefaultDid
from didflow_inventory.domain.holding.rules import NOT_FOUND
from didflow_inventory.store import users as queries

router = Router(tags=["users"])


@router.post("/users", action="manage_users", status_code=201, response_model=UserReference)
async def create_user(http: Http, body: UserBody) -> Response:
    """Create a user of an enterprise, with its default DID if one is given. The answer has no personal data."""
    account = body.account or http.caller.account
    command = CreateUser(
        entity_id=uuid7(), subject="", caller=http.caller, account=account, fields=body.fields()
    )
    return await _run(http, command, account, body.default_did, status=201)


@router.get("/users", action="manage_users")
async def list_users(http: Http) -> Page:
    """List the users of your accounts."""
    return await http.page(queries.users_of(http.caller), sort=queries.USER_SORTS, render=_rendered)


@router.get("/users/{user_id}", action="manage_users", response_model=UserResponse)
async def show_user(http: Http, user_id: UUID) -> Mapping[str, Any]:
    """Show one user."""
    return _rendered(await _row(http, user_id))


@router.patch("/users/{user_id}", action="manage_users", response_model=UserReference)
async def change_user(http: Http, user_id: UUID, body: UserChangeBody) -> Response:
    """Change a user, and give it its default DID if one is given. The answer has no personal data."""
    command = ChangeUser(entity_id=user_id, subject="", caller=http.caller, changes=body.changes())
    account = (await _row(http, user_id))["account"]
    default_did = body.default_did if "default_did" in body.model_fields_set else None
    return await _run(http, command, account, default_did)


@router.delete("/users/{user_id}", action="manage_users", status_code=204, response_model=None)
async def delete_user(http: Http, user_id: UUID) -> Response:
    """Delete a user. 409 `in_use`, with the count, while it has live DIDs."""
    return await http.run(DeleteUser(entity_id=user_id, subject="", caller=http.caller), status=204)


async def _run(
    http: HttpContext,
    command: CreateUser | ChangeUser,
    account: str,
    default_did: str | None,
    *,
    status: int = 200,
) -> Response:
    """Save the user, in one step with its default DID if there is one."""
    if default_did is None:
        return await http.run(command, status=status, render=_json)
    entity = (await entities(http, [default_did])).get(default_did)
    number = parse_did(default_did)
    if entity is None and not isinstance(number, str):
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    whole = SetDefaultDid(
        entity_id=entity.entity_id if entity else uuid7(),
        subject=entity.subject if entity else str(number),
        caller=http.caller,
        account=account,
        user=command,
    )
    return await http.run(whole, status=status, render=_json)


async def _row(http: HttpContext, user_id: UUID) -> Any:
    rows = await http.rows(queries.one_user(http.caller, user_id))
    if not rows:
        raise http.problem(404, "not_found", "No such user in your accounts.")
    return rows[0]


def _rendered(row: Any) -> Mapping[str, Any]:
    user = queries.user_of_row(row)
    return UserResponse.of(user, has_default=row["has_default"]).model_dump(mode="json")


def _json(user: Any) -> Mapping[str, Any]:
    return UserReference.of(user).model_dump(mode="json")
