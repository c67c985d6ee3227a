"""The lives of DIDs on one stack, each from its purchase on. All are purchased at the same instant.

A life waits for an instant by `reach`. The clock moves when all lives wait.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from term_lives import lives_of_periods, lives_of_registration
from term_lives.installation import Installation

Life = Callable[[Installation], Awaitable[None]]

LIVES: Final[Mapping[str, Life]] = MappingProxyType(
    {life.__name__: life for life in (*lives_of_periods.LIVES, *lives_of_registration.LIVES)}
)
"""Name -> life."""
