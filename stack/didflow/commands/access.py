"""`didflow access`: prints the access rules and client quotas of the Kafka cluster, made from the contracts."""

import shlex
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from didflow.commands.options import Json, fail
from didflow.console import Screen
from didflow.errors import BadInput
from didflow_contracts.access import OUTSIDER_BYTES_PER_S, Quota, Rule, all_rules, quotas_of
from didflow_contracts.sources import RegisteredSource, read_sources


def access(
    sources: Annotated[
        Path | None, typer.Option(help="File of the registered sources. Without it: the four services alone.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Prefix of all topic and group names.")] = "",
    bytes_per_s: Annotated[
        int,
        typer.Option(
            "--bytes-per-s", min=1_000, help="What each outside principal may write in a second, per broker."
        ),
    ] = OUTSIDER_BYTES_PER_S,
    as_json: Json = False,
) -> None:
    """Print the access rules and quotas of the cluster, as commands for Kafka's tools or as JSON."""
    try:
        registered = _registered(sources)
    except (OSError, ValueError) as error:
        raise fail(BadInput(f"The file of sources cannot be used: {error}")) from None
    rules = all_rules(registered, prefix=prefix)
    quotas = quotas_of(registered, bytes_per_s=bytes_per_s)
    if as_json:
        document = {"rules": [asdict(rule) for rule in rules], "quotas": [asdict(quota) for quota in quotas]}
        Screen().lines(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        Screen().lines("\n".join([*map(_rule_command, rules), *map(_quota_command, quotas)]))


def _registered(path: Path | None) -> Iterable[RegisteredSource]:
    return () if path is None else read_sources(path.read_bytes())


def _rule_command(rule: Rule) -> str:
    return shlex.join(
        [
            *("kafka-acls.sh", "--add", "--allow-principal", f"User:{rule.principal}"),
            *("--operation", rule.operation.capitalize(), f"--{rule.resource.lower()}", rule.name),
            *("--resource-pattern-type", rule.pattern.lower()),
        ]
    )


def _quota_command(quota: Quota) -> str:
    return shlex.join(
        [
            *("kafka-configs.sh", "--alter", "--entity-type", "users", "--entity-name", quota.principal),
            *("--add-config", f"producer_byte_rate={quota.producer_byte_rate}"),
        ]
    )
