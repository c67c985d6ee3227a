"""ISO 8601 durations in the parts of a PostgreSQL interval: months, days and seconds."""

import re
from dataclasses import dataclass

from didflow.errors import BadInput

_DURATION = re.compile(
    r"P(?!$)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?!$)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Duration:
    """A length of time. It is never negative. A month has no fixed number of days."""

    months: int = 0
    days: int = 0
    seconds: int = 0


def parse_duration(text: str) -> Duration:
    """Parse a duration such as `P31D`, `P1M`, `PT36H` or `P1Y2M3DT4H5M6S`.

    Raises BadInput if the text has another form or the duration is zero.
    """
    found = _DURATION.fullmatch(text.strip().upper())
    if not found:
        raise BadInput(f"{text!r} is not an ISO 8601 duration. Write it like P31D or PT36H.")
    part = {name: int(digits or 0) for name, digits in found.groupdict().items()}
    duration = Duration(
        months=12 * part["years"] + part["months"],
        days=7 * part["weeks"] + part["days"],
        seconds=3600 * part["hours"] + 60 * part["minutes"] + part["seconds"],
    )
    if duration == Duration():
        raise BadInput("The duration must be positive.")
    return duration
