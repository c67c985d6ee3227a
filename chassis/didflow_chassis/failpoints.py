"""Places where a test may let a process fail. Off, and free, unless `DIDFLOW_FAILPOINTS` is set; never in production.

`place=action[:argument][@n][~word]`, several with `;`. Actions: `kill` (as kill -9), `raise`, `sleep:seconds`,
`block:seconds` (the whole event loop). `@n`: at the n-th time only. `~word`: only where `about` holds the word.
"""

import asyncio
import os
import re
import signal
import time
from dataclasses import dataclass

VARIABLE = "DIDFLOW_FAILPOINTS"
_SPEC = re.compile(
    r"(?P<place>[a-z._]+)=(?P<action>kill|raise|sleep|block)(:(?P<argument>[\d.]+))?(@(?P<nth>\d+))?(~(?P<word>.+))?"
)


class FailpointHit(Exception):
    """What `raise` raises."""


@dataclass(slots=True)
class _Point:
    action: str
    seconds: float
    nth: int | None
    word: str | None
    hits: int = 0

    def strikes(self, about: str) -> bool:
        """Count this time, and say whether it is the one."""
        if self.word is not None and self.word not in about:
            return False
        self.hits += 1
        return self.nth is None or self.hits == self.nth


def parse(text: str) -> dict[str, _Point]:
    """Read a specification. Raises ValueError for what cannot be read."""
    points: dict[str, _Point] = {}
    for part in filter(None, text.split(";")):
        found = _SPEC.fullmatch(part)
        if found is None:
            raise ValueError(f"no failpoint: {part}")
        nth = int(found["nth"]) if found["nth"] else None
        points[found["place"]] = _Point(found["action"], float(found["argument"] or 0), nth, found["word"])
    return points


_POINTS = parse(os.environ.get(VARIABLE, ""))


def is_set() -> bool:
    """Whether any failpoint is set: refused at start in production."""
    return bool(_POINTS)


async def hit(place: str, about: str = "") -> None:
    """Pass a place where the process may fail."""
    point = _POINTS.get(place) if _POINTS else None
    if point is None or not point.strikes(about):
        return
    if point.action == "sleep":
        await asyncio.sleep(point.seconds)
    else:
        _strike(point)


def hit_now(place: str, about: str = "") -> None:
    """The same where nothing can be awaited: `sleep` blocks there."""
    point = _POINTS.get(place) if _POINTS else None
    if point is not None and point.strikes(about):
        _strike(point)


def _strike(point: _Point) -> None:
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif point.action == "raise":
        raise FailpointHit(point.word or "everywhere")
    else:
        time.sleep(point.seconds)
