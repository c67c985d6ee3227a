"""The table, the settings and the example of the README match the code."""

import re
from pathlib import Path
from typing import Any

from didflow_adapters.kit import AdapterSettings, Failed, Succeeded
from didflow_adapters.kit.execution import CommandExecutor
from didflow_adapters.simulated_carrier import SCENARIOS

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_scenarios_in_the_readme_are_those_of_the_simulator() -> None:
    """The README lists every scenario with its summary, and no other."""
    rows = re.findall(r"^\| (\d{4}) \| (.+?) \|$", README, re.MULTILINE)
    assert dict(rows) == {digits: scenario.summary for digits, scenario in SCENARIOS.items()}


def test_every_setting_is_in_the_readme() -> None:
    """The README lists every setting, and no other."""
    listed = set(re.findall(r"`DIDFLOW_(\w+)`", README))
    assert listed == {name.upper() for name in AdapterSettings.model_fields}


async def test_the_example_in_the_readme_works(new_command: Any) -> None:
    """The class of the example is executed as it is written."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - the example is our own
    executor = CommandExecutor(namespace["Acme"](), 1)
    assert await executor.execute(new_command().data) == Succeeded(carrier_reference="A-1")
    assert isinstance(await executor.execute(new_command(number="+442079460018").data), Failed)
    assert await executor.execute(new_command("release").data) == Succeeded()
