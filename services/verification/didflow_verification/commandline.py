"""`didflow-verification documents` and `identity`: encrypt documents again, erase a person, list who read its data.

The first two are jobs: a command starts the job and runs it to its end, together with the workers.

Exit codes besides those of every command: 1 the work was not completed; the output says why.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from didflow_chassis.commandline import Program
from didflow_chassis.service import Service
from didflow_contracts.terminal import say
from didflow_verification.settings import VerificationSettings

if TYPE_CHECKING:
    from didflow_chassis.processes import Process

# ruff: noqa: PLC0415 - the command line of a worker does not load what only these commands run


IdentityId = Annotated[UUID, typer.Argument(help="Id of the identity.", metavar="ID")]


def document_tools(program: Program) -> typer.Typer:
    """Return the command group `documents`."""
    group = typer.Typer(help="Change the keys of documents and former details.", no_args_is_help=True)

    @group.callback()
    def documents() -> None:
        """Change the keys of documents and former details."""

    @group.command()
    def rotate() -> None:
        """Encrypt documents again that have an old key or are in the other store, and former details with an old key.

        These are jobs: if the command is stopped, the workers go on with the one that runs.
        """
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
async def _open_tool(service: Service, settings: VerificationSettings) -> "AsyncIterator[Process]":
    """Open the process of a command."""
    from didflow_chassis.processes import open_process

    async with open_process(replace(service, on_start=None), settings, "tool") as process:
        yield process


async def _rotate(service: Service, settings: VerificationSettings) -> bool:
    from didflow_chassis.key_rotation import RotateKeys
    from didflow_chassis.key_rotation_tool import encrypt_again, say_counts
    from didflow_verification.documents import rotation
    from didflow_verification.documents.former_rotation import FORMER_DETAILS
    from didflow_verification.jobs import ROTATE_DOCUMENTS, ROTATE_FORMER_DETAILS

    keyring = settings.keyring()
    if keyring is None:
        say("No key for documents is configured. Set DIDFLOW_DOCUMENT_KEYS.", err=True)
        return False
    async with _open_tool(service, settings) as process:
        documents = rotation.RotateDocuments(key_id=keyring.current, store=settings.document_store)
        former = RotateKeys(key_id=keyring.current)
        is_complete = True
        for what, kind, target, count_by_key in (
            ("documents", ROTATE_DOCUMENTS, documents, rotation.count_by_key),
            ("former details", ROTATE_FORMER_DETAILS, former, FORMER_DETAILS.count_by_key),
        ):
            is_complete &= await encrypt_again(process, what, kind, target)
            say_counts(what, await count_by_key(process.database), keyring.current)
        return is_complete


async def _erase(
    service: Service, settings: VerificationSettings, identity_id: UUID, *, confirmed: bool
) -> bool:
    from didflow_chassis.jobs import tool
    from didflow_verification.erasure.job import begun_refusal, count_copies
    from didflow_verification.erasure.person import count_live_dids, find_person
    from didflow_verification.erasure.step import ErasePerson
    from didflow_verification.jobs import ERASE_IDENTITY

    async with _open_tool(service, settings) as process:
        found = await find_person(process.database, identity_id)
        if found is None:
            return _nothing_erased("not_found", "There is no such identity.")
        dids = await count_live_dids(process.database, identity_id)
        what = f"1 identity of {found.identity.account}, {len(found.addresses)} addresses"
        say(f"{what}, {len(found.documents)} documents, used by {dids} live DIDs")
        if dids and found.identity.erased_at is None:
            return _nothing_erased("in_use", "Assign other details to the DIDs first.")
        if not confirmed and not _confirm():
            return False
        job = await tool.run(process, ERASE_IDENTITY, ErasePerson(identity_id=identity_id))
        refused = await tool.results(process, job, "refused")
        first = begun_refusal(refused)
        if first is not None:
            return _nothing_erased(first["code"], first["message"])
        for row in refused:
            say(f"{row['item']} {row['code']}", err=True)
        if not tool.is_complete(job):
            return False
        masked = count_copies(await tool.results(process, job, "done"))
    say(f"Erased. Personal data was masked in {masked} other places.")
    return True


def _nothing_erased(code: str, message: str) -> bool:
    say(f"Nothing was erased. {code}: {message}", err=True)
    return False


def _confirm() -> bool:
    try:
        return typer.confirm("Erase the data? This cannot be undone.")
    except typer.Abort:
        return False


async def _reads(service: Service, settings: VerificationSettings, identity_id: UUID) -> None:
    from didflow_verification.store import reads_of

    async with _open_tool(service, settings) as process:
        for row in await process.database.fetch(reads_of(identity_id)):
            at = row["at"].isoformat(timespec="seconds")
            reader = f"{row['subject']} {row['role']} {row['account']}"
            say(f"{at} {row['kind']} {row['entity_id']} {reader}")
