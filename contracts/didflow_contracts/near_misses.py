"""Unknown data fields whose names are close to a known field of the event: probably typing errors.

Unknown fields are allowed, so a near miss changes no decision. It is counted, logged and shown in the history.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Final

from didflow_contracts.event_data import EventData

MIN_SIMILARITY: Final = 0.8
MAX_FIELDS: Final = 20
"""Only this many unknown fields are compared, in alphabetical order, so that a huge event costs little."""
MAX_FIELD_CHARS: Final = 64

NO_NEAR_MISSES: Final[Mapping[str, str]] = MappingProxyType({})


def near_misses(model: type[EventData], data: Mapping[str, Any]) -> Mapping[str, str]:
    """Return unknown field -> the known field that it resembles: `{"billing_cycle": "billing_cycles"}`."""
    known = _fields(model)
    if known.issuperset(data):
        return NO_NEAR_MISSES
    unknown = data.keys() - known
    short = sorted(name for name in unknown if len(name) <= MAX_FIELD_CHARS)[:MAX_FIELDS]
    return _nearest(model, tuple(short))


@cache
def _fields(model: type[EventData]) -> frozenset[str]:
    return frozenset(model.model_fields)


@lru_cache(maxsize=1_024)
def _nearest(model: type[EventData], unknown: tuple[str, ...]) -> Mapping[str, str]:
    found = {name: nearest(name, model.model_fields) for name in unknown}
    return MappingProxyType({name: known for name, known in found.items() if known is not None})


def nearest(name: str, known: Iterable[str], *, similarity: float = MIN_SIMILARITY) -> str | None:
    """Return the known name that the name resembles most, or None if it resembles none of them."""
    if len(name) > MAX_FIELD_CHARS:
        return None
    plain = {_plain(each): each for each in known}
    close = get_close_matches(_plain(name), plain, n=1, cutoff=similarity)
    return plain[close[0]] if close else None


def _plain(name: str) -> str:
    """Return the name without case and separators, so that `billingCycles` resembles `billing_cycles`."""
    return name.lower().replace("_", "").replace("-", "")
