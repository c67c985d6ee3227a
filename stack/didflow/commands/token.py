"""`didflow token`: prints a development token of the running stack."""

from typing import Annotated

import typer

from didflow import state
from didflow.commands.options import Data, fail, folder_of
from didflow.errors import StackError
from didflow.issuer import ISSUER, Issuer


def token(
    role: Annotated[str, typer.Option(help="Role, such as operator, reseller or reviewer.")],
    account: Annotated[str, typer.Option(help="Account path, such as master/acme.")],
    subject: Annotated[str | None, typer.Option(help="Subject of the token. Default: role@account.")] = None,
    data: Data = None,
) -> None:
    """Print a long-lived token for the running stack. Only a stack of `didflow up` accepts it."""
    folder = folder_of(data)
    try:
        state.read(folder)
        typer.echo(Issuer.of(folder, ISSUER).token(role=role, account=account, subject=subject))
    except StackError as error:
        raise fail(error) from None
