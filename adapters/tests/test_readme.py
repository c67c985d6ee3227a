"""The README's table, settings and example are the code's."""

import re
from pathlib import Path
from typing import Any

from didflow_adapters.kit import AdapterSettings, Failed, Succeeded
from didflow_adapters.kit.doing import do
from didflow_adapters.script import PARTS

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_table_of_endings_is_the_script() -> None:
    """Every ending with its words, and no other."""
    rows = re.findall(r"^\| (\d{4}) \| (.+?) \|$", README, re.MULTILINE)
    assert dict(rows) == {ending: part.summary for ending, part in PARTS.items()}


def test_every_setting_is_in_the_readme() -> None:
    """All that an adapter can be told, and nothing else."""
    named = set(re.findall(r"`DIDFLOW_(\w+)`", README))
    assert named == {name.upper() for name in AdapterSettings.model_fields}


async def test_the_example_is_a_carrier(make_order: Any) -> None:
    """The class of the README is run as it stands."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    space: dict[str, Any] = {}
    exec(code, space)  # noqa: S102 - the example is shown to work
    carrier = space["Acme"]()
    assert await do(carrier, make_order().data, 1) == Succeeded(carrier_reference="A-1")
    assert isinstance(await do(carrier, make_order(number="+442079460018").data, 1), Failed)
    assert await do(carrier, make_order("release").data, 1) == Succeeded()
