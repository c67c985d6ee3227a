"""One form for all JSON bodies that say the same, whatever their key order and spacing: what a retry is known by.

It is also the strict gate: what it lets through can be stored (no NaN, no lone surrogate, no NUL).
"""

import re

import orjson

from didflow_chassis.http.problems import FieldError, Problem

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def is_json(content_type: str | None) -> bool:
    """Whether a Content-Type says JSON."""
    media = (content_type or "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def canonical(body: bytes) -> bytes:
    """Write a JSON body in its one form. Raises Problem `body_malformed` or `input_invalid`."""
    try:
        form = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, TypeError) as error:
        raise Problem("body_malformed", "The body is not JSON, or nested too deep.") from error
    if _NUL.search(form):
        wrong = FieldError(field="", code="character_not_allowed", message="text must not hold U+0000")
        raise Problem("input_invalid", "See errors.", errors=[wrong])
    return form
