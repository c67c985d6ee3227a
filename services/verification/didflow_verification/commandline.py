"""`didflow-verification documents` and `identity`: encrypt documents again, erase a person, list who read its data.

Exit codes besides those of every command: 1 the work was not completed; the output says why.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import typer

from didflow_chassis.commandline import Program
from didflow_chassis.service import Service
from didflow_verification.settings import VerificationSettings

# ruff: noqa: PLC0415 - the command line of a worker does not load what only these commands run

STATEMENT_TIMEOUT_MS = 600_000

IdentityId = Annotated[UUID, typer.Argument(help="Id of the identity.", metavar="ID")]


def document_tools(program: Program) -> typer.Typer:
    """Return the command group `documents`."""
    group = typer.Typer(help="Change the keys of documents.", no_args_is_help=True)

    @group.callback()
    def documents() -> None:
        """Change the keys of documents."""

    @group.command()
    def rotate() -> None:
        """Encrypt documents again that have an old key or are in the other store. It can be stopped and repeated."""
        if not program.run("documents", _rotate):
            raise typer.Exit(1)

    return group


def identity_tools(program: Program) -> typer.Typer:
    """Return the command group `identity`."""
    group = typer.Typer(help="Erase a person. List who read its data.", no_args_is_help=True)

    @group.command()
    def erase(
        identity_id: IdentityId,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    ) -> None:
        """Erase a person's data if no live DID uses it. The record that verifications took place is kept."""

        async def work(service: Service, settings: VerificationSettings) -> bool:
            return await _erase(service, settings, identity_id, confirmed=yes)

        if not program.run("identity", work):
            raise typer.Exit(1)

    @group.command()
    def reads(identity_id: IdentityId) -> None:
        """List who was shown the identity, its addresses and its documents, the latest first."""

        async def work(service: Service, settings: VerificationSettings) -> None:
            await _reads(service, settings, identity_id)

        program.run("identity", work)

    return group


@asynccontextmanager
async def _open_tool(service: Service, settings: VerificationSettings) -> AsyncIterator[tuple[Any, Any]]:
    """Open the process of a command, and the contents of documents (None without a key)."""
    from didflow_chassis.processes import open_process
    from didflow_verification.documents.contents import open_contents

    long = settings.model_copy(update={"statement_timeout_ms": STATEMENT_TIMEOUT_MS})
    async with open_process(replace(service, on_start=None), long, "tool") as process:
        yield process, open_contents(settings, process.database)


async def _rotate(service: Service, settings: VerificationSettings) -> bool:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from didflow_verification.documents.rotation import Rotation

    async with _open_tool(service, settings) as (process, contents):
        if contents is None:
            typer.echo("No key for documents is configured. Set DIDFLOW_DOCUMENT_KEYS.", err=True)
            return False
        rotation = Rotation(stage=process.stage, contents=contents)
        total = await rotation.count()
        columns = ("documents", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=total)
            failed = await rotation.run(lambda: bar.advance(task))
        for one in failed:
            typer.echo(f"{one.document_id} {one.code}", err=True)
        typer.echo(f"documents encrypted again: {total - len(failed)}")
        for key_id, count in (await rotation.count_by_key()).items():
            mark = " (current)" if key_id == contents.keyring.current else ""
            typer.echo(f"documents under key {key_id}{mark}: {count}")
        return not failed


async def _erase(
    service: Service, settings: VerificationSettings, identity_id: UUID, *, confirmed: bool
) -> bool:
    from rich.console import Console

    from didflow_verification.erasure import Erasure, NotErased

    async with _open_tool(service, settings) as (process, contents):
        erasure = Erasure(
            stage=process.stage, database=process.database, contents=contents, identity_id=identity_id
        )
        try:
            found = await erasure.find()
            what = f"1 identity of {found.identity.account}, {len(found.addresses)} addresses"
            typer.echo(f"{what}, {len(found.documents)} documents, used by {found.dids} live DIDs")
            if not confirmed and not _confirm():
                return False
            with Console(stderr=True).status("erasing") as status:
                masked = await erasure.run(found, lambda step: status.update(f"erasing: {step}"))
        except NotErased as error:
            typer.echo(f"Nothing was erased. {error.code}: {error}", err=True)
            return False
    typer.echo(f"Erased. Personal data was masked in {masked} other places.")
    return True


def _confirm() -> bool:
    try:
        return typer.confirm("Erase the data? This cannot be undone.")
    except typer.Abort:
        return False


async def _reads(service: Service, settings: VerificationSettings, identity_id: UUID) -> None:
    from didflow_verification.store import reads_of

    async with _open_tool(service, settings) as (process, _):
        for row in await process.database.fetch(reads_of(identity_id)):
            at = row["at"].isoformat(timespec="seconds")
            reader = f"{row['subject']} {row['role']} {row['account']}"
            typer.echo(f"{at} {row['kind']} {row['entity_id']} {reader}")
