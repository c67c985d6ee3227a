"""Why bytes are no event. One exception with a closed list of codes: what a dead letter says."""

from typing import Literal, TypeAlias

BadCode: TypeAlias = Literal[
    "no_value",
    "too_large",
    "bad_header",
    "not_json",
    "not_cloudevents",
    "unknown_type",
    "unsupported_version",
    "unexpected_source",
    "invalid_data",
    "subject_mismatch",
]


class BadEvent(Exception):
    """What came is no event for this consumer; `code` is stable, `reason` is for people."""

    def __init__(self, code: BadCode, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code: BadCode = code
        self.reason = reason
