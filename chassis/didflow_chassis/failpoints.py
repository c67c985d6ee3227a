"""Failpoints: named places where a test makes a process fail. The setting `DIDFLOW_FAILPOINTS` lists them.

Each is written `place=action[:argument][@n][~word]`; several are separated by `;`. Actions: `kill` (as kill -9),
`raise`, `sleep:seconds`, `block:seconds` (blocks the event loop). With `@n`, only the n-th pass fails. With `~word`,
only passes whose `about` contains the word count.
"""

import asyncio
import os
import re
import signal
import time
from dataclasses import dataclass

_SPEC = re.compile(
    r"(?P<place>[a-z._]+)=(?P<action>kill|raise|sleep|block)(:(?P<argument>[\d.]+))?(@(?P<nth>\d+))?(~(?P<word>.+))?"
)


class FailpointHit(Exception):
    """The exception of the action `raise`."""


@dataclass(slots=True)
class _Point:
    action: str
    seconds: float
    nth: int | None
    word: str | None
    hits: int = 0

    def applies(self, about: str) -> bool:
        """Count this pass, and return whether it fails."""
        if self.word is not None and self.word not in about:
            return False
        self.hits += 1
        return self.nth is None or self.hits == self.nth


def parse(text: str) -> dict[str, _Point]:
    """Read a list of failpoints. Raises ValueError for one that cannot be read."""
    points: dict[str, _Point] = {}
    for number, part in enumerate(filter(None, text.split(";")), 1):
        found = _SPEC.fullmatch(part)
        if found is None:
            raise ValueError(f"part {number} is not a failpoint such as stage.commit=kill@1")
        nth = int(found["nth"]) if found["nth"] else None
        points[found["place"]] = _Point(found["action"], float(found["argument"] or 0), nth, found["word"])
    return points


_POINTS: dict[str, _Point] = {}


def activate(text: str) -> None:
    """Make the listed places of this process fail, and no others."""
    _POINTS.clear()
    _POINTS.update(parse(text))


async def hit(place: str, about: str = "") -> None:
    """Pass a place where the process may fail."""
    point = _POINTS.get(place) if _POINTS else None
    if point is None or not point.applies(about):
        return
    if point.action == "sleep":
        await asyncio.sleep(point.seconds)
    else:
        _fail(point)


def hit_now(place: str, about: str = "") -> None:
    """Pass such a place in code that cannot await. There, `sleep` blocks."""
    point = _POINTS.get(place) if _POINTS else None
    if point is not None and point.applies(about):
        _fail(point)


def _fail(point: _Point) -> None:
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif point.action == "raise":
        raise FailpointHit(point.word or "everywhere")
    else:
        time.sleep(point.seconds)
