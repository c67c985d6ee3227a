"""Accounts over HTTP."""

from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router
from didflow_contracts.accounts import AccountPath
from didflow_inventory.api.bodies import AccountBody, AccountChangeBody
from didflow_inventory.api.responses import account_json
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.commands import ChangeAccount, CreateAccount
from didflow_inventory.store import queries

router = Router(tags=["accounts"])


@router.post("/accounts", action="manage_accounts", status_code=201, response_model=Account)
async def create_account(http: Http, body: AccountBody) -> Response:
    """Create an account below your own. If it already exists with the same properties, the answer is 200."""
    command = CreateAccount(
        entity_id=body.path, subject="", caller=http.caller, path=body.path, properties=body.properties()
    )
    return await http.run(command, status=201, render=account_json)


@router.patch("/accounts/{path:path}", action="manage_accounts", response_model=Account)
async def change_account(http: Http, path: AccountPath, body: AccountChangeBody) -> Response:
    """Change an account below your own; of your own account only the name and the default carriers."""
    command = ChangeAccount(entity_id=path, subject="", caller=http.caller, changes=body.changes())
    return await http.run(command, render=account_json)


@router.get("/accounts", action="read_accounts")
async def list_accounts(http: Http) -> Page:
    """List your account and the accounts below it."""
    return await http.page(
        queries.account_tree(http.caller),
        sort=queries.ACCOUNT_SORTS,
        render=lambda row: account_json(queries.account_of_row(row)),
    )
