"""`didflow-verification catalogue`: what is in force, what a file would change, and taking it over.

Exit codes besides every command's: 65 the file cannot be taken; 1 `diff` found changes.
"""

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from didflow_chassis.commandline import Program
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_verification.catalogue.reading import CatalogueError, packaged, read_catalogue
from didflow_verification.catalogue.table import as_markdown
from didflow_verification.catalogue.writing import rules_yaml
from didflow_verification.domain.catalogue.rules import CountryRules

# ruff: noqa: PLC0415 - a worker's command line does not load what only these commands run

File = Annotated[Path, typer.Argument(help="A YAML document for each country.", exists=True, dir_okay=False)]


def catalogue_tools(program: Program) -> typer.Typer:
    """Build the group of commands."""
    group = typer.Typer(help="Look at the regulatory catalogue, and change it.", no_args_is_help=True)

    @group.command(name="load")
    def take_over(
        file: File,
        dry_run: Annotated[
            bool, typer.Option(help="Only say what would change and whom it touches.")
        ] = False,
    ) -> None:
        """Take over a file's countries; a version that has begun cannot change, and nothing is taken then."""
        wanted = _read(file)

        async def work(served: Service, settings: Settings) -> bool:
            return await _load(served, settings, wanted, dry_run=dry_run)

        if not program.run("catalogue", work):
            raise typer.Exit(os.EX_DATAERR)

    @group.command()
    def diff(file: File) -> None:
        """Say what taking over a file would change; exit code 1 where it would change anything."""
        wanted = _read(file)

        async def work(served: Service, settings: Settings) -> list[str]:
            from didflow_verification.catalogue.loading import patient, plans

            async with patient(served, settings) as process:
                found = await plans(process.database, wanted)
            return [change.text for plan in found for change in plan.changes]

        changed = program.run("catalogue", work)
        for line in changed:
            typer.echo(line)
        raise typer.Exit(1 if changed else 0)

    @group.command()
    def table() -> None:
        """Print the catalogue that comes with the service as a page for people (Markdown)."""
        typer.echo(as_markdown(packaged()), nl=False)

    @group.command()
    def show(
        country: Annotated[str | None, typer.Argument(help="ISO-2, or `*`; all in short without.")] = None,
        on: Annotated[
            datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what is in force.")
        ] = None,
    ) -> None:
        """Show the catalogue as it is in the database: a country as a file, or all rows in short."""
        found = program.run("catalogue", _rules)
        if country is not None and country not in found:
            typer.echo(f"the catalogue does not know {country}", err=True)
            raise typer.Exit(os.EX_DATAERR)
        _show(found, country, on.date() if on else None)

    return group


def _read(file: Path) -> tuple[CountryRules, ...]:
    try:
        return read_catalogue(file.read_text(encoding="utf-8"))
    except CatalogueError as error:
        for fault in error.faults:
            typer.echo(fault, err=True)
        raise typer.Exit(os.EX_DATAERR) from None


async def _load(
    service: Service, settings: Settings, wanted: tuple[CountryRules, ...], *, dry_run: bool
) -> bool:
    from didflow_verification.catalogue.loading import load, patient, plans

    async with patient(service, settings) as process:
        found = await plans(process.database, wanted)
        for line in (line for plan in found for line in plan.lines()):
            typer.echo(line)
        if any(plan.refused for plan in found):
            typer.echo("nothing was loaded: a version that has begun would change", err=True)
            return False
        if dry_run:
            typer.echo("nothing was loaded: a dry run")
            return True
        refused = await load(process, found)
        for each in refused:
            typer.echo(f"refused {each.code}: {each.message}", err=True)
        return not refused


async def _rules(service: Service, settings: Settings) -> dict[str, CountryRules]:
    from didflow_verification.catalogue.loading import patient, rules_now

    async with patient(service, settings) as process:
        return await rules_now(process.database)


def _show(found: dict[str, CountryRules], country: str | None, day: date | None) -> None:
    if country is not None and day is None:
        typer.echo(rules_yaml(found[country]), nl=False)
        return
    for rules in found.values() if country is None else (found[country],):
        for row in rules.requirements:
            ended = row.effective_to is not None and day is not None and row.effective_to <= day
            if day is None or (row.effective_from <= day and not ended):
                until = f" to {row.effective_to}" if row.effective_to else ""
                asked = "required" if row.required else "free"
                typer.echo(
                    f"{rules.country} {row.key} version {row.version} from {row.effective_from}{until} {asked}"
                )
