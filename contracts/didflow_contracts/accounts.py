"""Account paths. A path names a node of the tenancy tree and, in it, every account above that node."""

import re
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field

from didflow_contracts.bounds import ACCOUNT_LEVELS, ACCOUNT_PATH

SEGMENT: Final = r"[a-z0-9-]{1,63}"
ACCOUNT_PATTERN: Final = rf"^{SEGMENT}(/{SEGMENT}){{0,{ACCOUNT_LEVELS.most - 1}}}$"
_PATH: Final = re.compile(ACCOUNT_PATTERN.removesuffix("$"), re.ASCII)

AccountPath = Annotated[
    str,
    Field(
        pattern=ACCOUNT_PATTERN,
        max_length=ACCOUNT_PATH.most,
        description="The path of an account in the tenancy tree, from the root down: `master/acme/shop`.",
    ),
]


def is_account_path(text: str) -> bool:
    """Return True if the text has the form of an account path. The account need not exist."""
    return len(text) <= ACCOUNT_PATH.most and _PATH.fullmatch(text) is not None


def is_within(path: str, ancestor: str) -> bool:
    """Return True if `path` is `ancestor` or lies below it. Only whole segments count: `a/bc` is not in `a/b`."""
    return path == ancestor or path.startswith(f"{ancestor}/")


@lru_cache(maxsize=1_024)
def lineage(path: str) -> tuple[str, ...]:
    """Return an account and all accounts above it, the nearest first."""
    parts = path.split("/")
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), 0, -1))
