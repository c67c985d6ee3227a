"""The example purchase, new for each test."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "events"


@pytest.fixture
def purchase() -> dict[str, Any]:
    """The example purchase in structured mode. The test may change it."""
    parsed: dict[str, Any] = deepcopy(orjson.loads((EXAMPLES / "did.purchased.json").read_bytes()))
    return parsed
