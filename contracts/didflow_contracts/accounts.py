"""Account paths: where in the tenancy tree something belongs. A path is its own proof of ancestry."""

from typing import Annotated

from pydantic import Field

SEGMENT = r"[a-z0-9-]{1,63}"

AccountPath = Annotated[
    str,
    Field(
        pattern=rf"^{SEGMENT}(/{SEGMENT})*$",
        max_length=512,
        description="A node of the tenancy tree, from the root down, e.g. `master/acme/shop`.",
    ),
]


def is_within(path: str, ancestor: str) -> bool:
    """Say whether `path` is `ancestor` or lies below it; whole segments count (`a/bc` is not in `a/b`)."""
    return path == ancestor or path.startswith(f"{ancestor}/")
