"""`didflow-verification documents` and `identity`: keys changed, persons erased, readers listed.

Exit codes besides every command's: 1 something was left undone, and what is said.
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

# ruff: noqa: PLC0415 - a worker's command line does not load what only these commands run

PATIENCE_MS = 600_000

IdentityId = Annotated[UUID, typer.Argument(help="The identity's id.", metavar="ID")]


def document_tools(program: Program) -> typer.Typer:
    """Build the group of commands about documents."""
    group = typer.Typer(help="Change the keys of documents.", no_args_is_help=True)

    @group.callback()
    def documents() -> None:
        """Change the keys of documents."""

    @group.command()
    def rotate() -> None:
        """Encrypt anew what lies under another key than the first, or elsewhere; may be ended and repeated."""
        if not program.run("documents", _rotate):
            raise typer.Exit(1)

    return group


def identity_tools(program: Program) -> typer.Typer:
    """Build the group of commands about identities."""
    group = typer.Typer(help="Erase persons; list who was shown them.", no_args_is_help=True)

    @group.command()
    def erase(
        identity_id: IdentityId,
        yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    ) -> None:
        """Remove a person's data when no living DID rests on it; that verifications took place stays."""

        async def work(served: Service, settings: VerificationSettings) -> bool:
            return await _erase(served, settings, identity_id, sure=yes)

        if not program.run("identity", work):
            raise typer.Exit(1)

    @group.command()
    def reads(identity_id: IdentityId) -> None:
        """List who was shown the identity, its addresses and its documents, the latest first."""

        async def work(served: Service, settings: VerificationSettings) -> None:
            await _reads(served, settings, identity_id)

        program.run("identity", work)

    return group


@asynccontextmanager
async def _open_process(service: Service, settings: VerificationSettings) -> AsyncIterator[tuple[Any, Any]]:
    """Open the stage, and documents' bytes (None without a key)."""
    from didflow_chassis.processes import open_process
    from didflow_verification.documents.opening import open_contents

    patient = settings.model_copy(update={"statement_timeout_ms": PATIENCE_MS})
    async with open_process(replace(service, on_start=None), patient, "tool") as process:
        yield process, open_contents(settings, process.database)


async def _rotate(service: Service, settings: VerificationSettings) -> bool:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from didflow_verification.documents.rotation import Rotation

    async with _open_process(service, settings) as (process, contents):
        if contents is None:
            typer.echo("no key for documents is configured", err=True)
            return False
        rotation = Rotation(stage=process.stage, contents=contents)
        total = await rotation.count()
        columns = ("documents", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("", total=total)
            failed = await rotation.run(lambda: bar.advance(task))
        for one in failed:
            typer.echo(f"{one.document_id} {one.code}", err=True)
        typer.echo(f"encrypted anew: {total - len(failed)}")
        for key_id, count in (await rotation.keys()).items():
            mark = " (current)" if key_id == contents.keyring.current else ""
            typer.echo(f"under key {key_id}{mark}: {count}")
        return not failed


async def _erase(service: Service, settings: VerificationSettings, identity_id: UUID, *, sure: bool) -> bool:
    from rich.console import Console

    from didflow_verification.erasure import Erasure, NotErased

    async with _open_process(service, settings) as (process, contents):
        erasure = Erasure(
            stage=process.stage, database=process.database, contents=contents, identity_id=identity_id
        )
        try:
            found = await erasure.find()
            what = f"1 identity of {found.identity.account}, {len(found.addresses)} addresses"
            typer.echo(f"{what}, {len(found.documents)} documents, {found.dids} living DIDs on them")
            if not sure and not _confirmed():
                return False
            with Console(stderr=True).status("erasing") as status:
                masked = await erasure.run(found, lambda step: status.update(f"erasing: {step}"))
        except NotErased as error:
            typer.echo(f"nothing was erased: {error.code}: {error}", err=True)
            return False
    typer.echo(f"erased; masked in {masked} other places")
    return True


def _confirmed() -> bool:
    try:
        return typer.confirm("Erase for good?")
    except typer.Abort:
        return False


async def _reads(service: Service, settings: VerificationSettings, identity_id: UUID) -> None:
    from didflow_verification.store import reads_of

    async with _open_process(service, settings) as (process, _):
        for row in await process.database.fetch(reads_of(identity_id)):
            at = row["at"].isoformat(timespec="seconds")
            typer.echo(
                f"{at} {row['what']} {row['thing_id']} {row['subject']} {row['role']} {row['account']}"
            )
