"""`didflow-provisioning secrets`: encrypt the secrets of SMS trunks again, and list who has read one.

The exit code 1, besides those of every command: the work was not completed. The output says why.
"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

import typer

from didflow_chassis.commandline import Program
from didflow_chassis.service import Service
from didflow_contracts.terminal import say
from didflow_provisioning.settings import ProvisioningSettings

# ruff: noqa: PLC0415 - the command line of a worker does not load what only these commands run

TrunkId = Annotated[UUID, typer.Argument(help="Id of the SMS trunk.", metavar="ID")]


def secret_tools(program: Program) -> typer.Typer:
    """Return the command group `secrets`."""
    group = typer.Typer(help="Change the keys of secrets. List who has read one.", no_args_is_help=True)

    @group.command()
    def rotate() -> None:
        """Encrypt the secrets of SMS trunks that are under an old key again.

        This is a job: if the command is stopped, the workers go on with it.
        """
        if not program.run("secrets", _rotate):
            raise typer.Exit(1)

    @group.command()
    def reads(trunk_id: TrunkId) -> None:
        """List who has read the secret of an SMS trunk, the latest first: 1,000 reads at most."""

        async def work(service: Service, settings: ProvisioningSettings) -> None:
            await _reads(service, settings, trunk_id)

        program.run("secrets", work)

    return group


async def _rotate(service: Service, settings: ProvisioningSettings) -> bool:
    from didflow_chassis.key_rotation import RotateKeys
    from didflow_chassis.key_rotation_tool import encrypt_again, say_counts
    from didflow_chassis.processes import open_process
    from didflow_provisioning.jobs import ROTATE_SECRETS
    from didflow_provisioning.store.secrets import SECRETS

    keyring = settings.keyring()
    if keyring is None:
        say("No key for secrets is configured. Set DIDFLOW_SECRET_KEYS.", err=True)
        return False
    async with open_process(replace(service, on_start=None), settings, "tool") as process:
        target = RotateKeys(key_id=keyring.current)
        is_complete = await encrypt_again(process, "secrets", ROTATE_SECRETS, target)
        say_counts("secrets", await SECRETS.count_by_key(process.database), keyring.current)
    return is_complete


async def _reads(service: Service, settings: ProvisioningSettings, trunk_id: UUID) -> None:
    from didflow_chassis.processes import open_process
    from didflow_chassis.states import WRITTEN_AT
    from didflow_provisioning.store.queries import credential_reads_of

    async with open_process(replace(service, on_start=None), settings, "tool") as process:
        for row in await process.database.fetch(credential_reads_of(trunk_id)):
            say(
                f"{row[WRITTEN_AT].isoformat(timespec='seconds')} {row['subject']} {row['role']} {row['account']}"
            )
