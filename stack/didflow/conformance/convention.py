"""How the carrier behind an adapter must answer during a conformance run: the last four digits of the number decide.

The simulator follows the same convention. Source: docs/conformance.md.
"""

from typing import Final

SUCCEEDS: Final = "0000"
"""Every command succeeds at once. Any digits that are not below mean the same."""
FAILS_FOR_GOOD: Final = "9991"
"""Every command fails for good."""
UNAVAILABLE_ONCE: Final = "9992"
"""The first call for each command fails as unavailable, the second succeeds."""
LIMITED_ONCE: Final = "9993"
"""The first call for each command fails as rate limited, with one second to wait. The second succeeds."""
SLOW: Final = "9996"
"""Every command succeeds after three seconds."""
SLOW_S: Final = 3.0

EXECUTIONS_VARIABLE: Final = "DIDFLOW_EXECUTIONS"
"""The variable in which a started adapter gets the path of the log of executions."""


def number(block: int, digits: str = SUCCEEDS) -> str:
    """Return a number of a block, 0 to 99, with these last digits. Each check has blocks of its own."""
    return f"+442079{block:02d}{digits}"
