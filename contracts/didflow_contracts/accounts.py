"""Account paths. A path names a node of the tenancy tree and, in it, every account above that node."""

from typing import Annotated, Final

from pydantic import Field

SEGMENT: Final = r"[a-z0-9-]{1,63}"
ACCOUNT_PATTERN: Final = rf"^{SEGMENT}(/{SEGMENT})*$"

AccountPath = Annotated[
    str,
    Field(
        pattern=ACCOUNT_PATTERN,
        max_length=512,
        description="The path of an account in the tenancy tree, from the root down: `master/acme/shop`.",
    ),
]


def is_within(path: str, ancestor: str) -> bool:
    """Return True if `path` is `ancestor` or lies below it. Only whole segments count: `a/bc` is not in `a/b`."""
    return path == ancestor or path.startswith(f"{ancestor}/")
