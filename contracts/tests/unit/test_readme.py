"""The Python code of the README works as printed."""

import re
from pathlib import Path
from typing import Any

import orjson

from didflow_contracts.envelope import decode
from didflow_contracts.events import EVENT_TYPES, ResultReported

ROOT = Path(__file__).parents[2]


def readme() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        exec(block, names)  # noqa: S102 - the printed code is what is tested
    return names


def test_the_printed_purchase_is_valid() -> None:
    """An order system can copy it."""
    printed = readme()
    event = decode(printed["value"], printed["headers"], types=EVENT_TYPES)
    assert event.data == printed["purchase"]
    assert (printed["topic"], printed["key"]) == ("did.purchased", b"+3532212345")


def test_the_printed_adapter_answers_the_example_command() -> None:
    """A carrier adapter can copy it."""
    command = (ROOT.parent / "examples" / "events" / "provisioning.commands.json").read_bytes()
    result = decode(readme()["answer"](command, []), [], types=EVENT_TYPES)
    assert isinstance(result.data, ResultReported)
    assert result.causationid == orjson.loads(command)["id"]
