"""`didflow-verification catalogue`: show the catalogue, compare it with a file, and load a file.

Exit codes besides those of every command: 65 the file is not valid or was refused; 1 `diff` found changes.
"""

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from didflow_chassis.commandline import Program
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_contracts.terminal import say, say_lines
from didflow_verification.catalogue.files import CatalogueError, packaged, read_catalogue, rules_yaml
from didflow_verification.catalogue.page import as_markdown
from didflow_verification.domain.requirements import CountryRules, Requirement

# ruff: noqa: PLC0415 - the command line of a worker does not load what only these commands run

CatalogueFile = Annotated[
    Path,
    typer.Argument(help="File with one YAML document for each country.", exists=True, dir_okay=False),
]


def catalogue_tools(program: Program) -> typer.Typer:
    """Return the command group `catalogue`."""
    group = typer.Typer(help="Show and change the catalogue.", no_args_is_help=True)

    @group.command(name="load")
    def load_file(
        file: CatalogueFile,
        dry_run: Annotated[
            bool, typer.Option(help="Only print the changes and the number of DIDs touched.")
        ] = False,
    ) -> None:
        """Load the countries of a file. If a version that has begun would change, nothing is loaded.

        If DIDs may have to be verified again, a job rechecks them. Its id is printed, and the workers run it.
        """
        wanted = _read(file)

        async def work(service: Service, settings: Settings) -> bool:
            return await _load(service, settings, wanted, dry_run=dry_run)

        if not program.run("catalogue", work):
            raise typer.Exit(os.EX_DATAERR)

    @group.command()
    def diff(file: CatalogueFile) -> None:
        """Print what the load of a file would change. The exit code is 1 if it would change something."""
        wanted = _read(file)

        async def work(service: Service, settings: Settings) -> list[str]:
            from didflow_verification.catalogue.load_plan import catalogue_process, plan_load

            async with catalogue_process(service, settings) as process:
                plans = await plan_load(process.database, wanted)
            return [change.text for plan in plans for change in plan.changes]

        changed = program.run("catalogue", work)
        for line in changed:
            say(line)
        raise typer.Exit(1 if changed else 0)

    @group.command()
    def table() -> None:
        """Print the catalogue that comes with the service as a Markdown page."""
        say_lines(as_markdown(packaged()))

    @group.command()
    def show(
        country: Annotated[
            str | None, typer.Argument(help="ISO-2 code or `*`. Without it, all rows are listed.")
        ] = None,
        on: Annotated[
            datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only rows in force on this day.")
        ] = None,
    ) -> None:
        """Print the catalogue of the database: one country as a file, or a list of all rows."""
        found = program.run("catalogue", _current_rules)
        if country is not None and country not in found:
            say(f"The catalogue has no country {country}.", err=True)
            raise typer.Exit(os.EX_DATAERR)
        _show(found, country, on.date() if on else None)

    return group


def _read(file: Path) -> tuple[CountryRules, ...]:
    try:
        return read_catalogue(file.read_text(encoding="utf-8"))
    except CatalogueError as error:
        for fault in error.faults:
            say(fault, err=True)
        raise typer.Exit(os.EX_DATAERR) from None


async def _load(
    service: Service, settings: Settings, wanted: tuple[CountryRules, ...], *, dry_run: bool
) -> bool:
    from didflow_verification.catalogue.load_plan import catalogue_process, load, plan_load

    async with catalogue_process(service, settings) as process:
        plans = await plan_load(process.database, wanted)
        for line in (line for plan in plans for line in plan.lines()):
            say(line)
        if any(plan.refused for plan in plans):
            say("Nothing was loaded: a version that is in force would change.", err=True)
            return False
        if dry_run:
            say("Nothing was loaded: this was a dry run.")
            return True
        loaded = await load(process, plans)
        for started in loaded.rechecks:
            say(started.line())
        for each in loaded.refused:
            say(f"refused {each.code}: {each.message}", err=True)
        return not loaded.refused


async def _current_rules(service: Service, settings: Settings) -> dict[str, CountryRules]:
    from didflow_verification.catalogue.load_plan import catalogue_process, current_rules

    async with catalogue_process(service, settings) as process:
        return await current_rules(process.database)


def _show(found: dict[str, CountryRules], country: str | None, day: date | None) -> None:
    if country is not None and day is None:
        say_lines(rules_yaml(found[country]))
        return
    for rules in found.values() if country is None else (found[country],):
        for row in rules.requirements:
            if day is None or _is_in_force(row, day):
                until = f" to {row.effective_to}" if row.effective_to else ""
                required = "required" if row.required else "not required"
                period = f"from {row.effective_from}{until}"
                say(f"{rules.country} {row.key} version {row.version} {period} {required}")


def _is_in_force(row: Requirement, day: date) -> bool:
    return row.effective_from <= day and (row.effective_to is None or day < row.effective_to)
