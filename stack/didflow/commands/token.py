"""`didflow token`: prints a development token of the running stack."""

from typing import Annotated

import typer

from didflow.commands.options import Data, folder_of, run
from didflow.console import Screen

# ruff: noqa: PLC0415 - each command loads only what it runs


def token(
    role: Annotated[str, typer.Option(help="Role, such as operator, reseller or reviewer.")],
    account: Annotated[str, typer.Option(help="Path of an account of the stack, such as master/acme.")],
    subject: Annotated[str | None, typer.Option(help="Subject of the token. Default: role@account.")] = None,
    data: Data = None,
) -> None:
    """Print a long-lived token for the running stack. Only a stack of `didflow up` accepts it."""
    from didflow.tokens import issued

    Screen().line(run(issued(folder_of(data), role=role, account=account, subject=subject)))
