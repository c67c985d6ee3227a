"""The READMEs agree with the code: commands, codes, accounts and links."""

import inspect
import json
import re
from pathlib import Path

import typer

from didflow import errors
from didflow.cli import app
from didflow.stack import ACCOUNTS
from didflow_contracts.envelope import CONTENT_TYPE, decode
from didflow_contracts.events import EVENT_TYPES, DidPurchased, ResultReported

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
STACK = (ROOT / "stack" / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_command_is_in_the_table() -> None:
    """Each command and group has a row, and no other row exists."""
    group = typer.main.get_group(app)
    named = set(re.findall(r"^\| `didflow (\w+)", STACK, re.MULTILINE))
    assert named == set(group.commands)


def test_every_code_is_named() -> None:
    """The list has the codes of all stack errors, and no other."""
    everything = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    classes = [c for c in everything if issubclass(c, errors.StackError) and c is not errors.StackError]
    listed = " ".join(STACK.split()).partition("The codes: ")[2].partition(".")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == {c.code for c in classes}


def test_the_accounts_are_those_of_every_stack() -> None:
    """A reader can use them."""
    sentence = STACK.partition("Every stack\nhas the accounts ")[2].partition(".")[0]
    assert set(re.findall(r"`([\w/]+)`", sentence)) == set(ACCOUNTS)


def test_the_printed_data_is_a_purchase() -> None:
    """It is valid in binary mode, with the attributes that the README names."""
    data = blocks("json")[0].encode()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "1",
        "ce_source": "/orders/you",
        "ce_type": "didflow.did.purchased.v1",
        "ce_time": "2026-03-02T10:00:00+01:00",
        "content-type": "application/json",
    }
    event = decode(data, [(name, value.encode()) for name, value in headers.items()], types=EVENT_TYPES)
    assert isinstance(event.data, DidPurchased)


def test_the_printed_answer_is_a_result() -> None:
    """It is valid with the values of a command where the README says so."""
    said = json.loads(blocks("json")[1])
    command = json.loads((ROOT / "examples" / "events" / "provisioning.commands.json").read_text())
    for name, value in said["data"].items():
        if value == "<copied from the command>":
            said["data"][name] = command["data"][name]
    headers = [("content-type", CONTENT_TYPE.encode())]
    event = decode(json.dumps(said).encode(), headers, types=EVENT_TYPES)
    assert isinstance(event.data, ResultReported)


def test_every_link_has_a_target() -> None:
    """All relative links of the READMEs exist."""
    for text, folder in ((README, ROOT), (CONTRIBUTING, ROOT), (STACK, ROOT / "stack")):
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert (folder / link).exists(), link


def test_every_file_that_contributing_names_exists() -> None:
    """A path in a list begins at the root, in a service, or in a package."""
    bases = ["", "contracts", "chassis", "chassis/tests"]
    for name in ("inventory", "provisioning"):
        service = f"services/{name}"
        package = f"{service}/didflow_{name}"
        bases.append(f"{package}/domain/my_numbers")
        bases += [service, f"{service}/tests", package, f"{package}/migrations/versions"]
    paths = re.findall(r"`([\w./-]+/[\w./-]*|\w+\.py)`", CONTRIBUTING)
    assert [path for path in paths if not any((ROOT / base / path).exists() for base in bases)] == []
