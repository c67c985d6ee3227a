"""From a carrier's reply to an outcome. Replies are untrusted: types are checked, texts are cut and cleaned."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jsonpointer import JsonPointer, JsonPointerException

from didflow_adapters.http.configuration import ReplyRule
from didflow_adapters.kit import Failed, Later, Outcome, Succeeded
from didflow_adapters.kit.retry_after import seconds_of

MAX_TEXT: Final = 500
_ABSENT: Final = object()
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_TRY_AGAIN: Final[Mapping[int, str]] = {
    401: "credentials_refused",
    403: "credentials_refused",
    408: "carrier_timeout",
    409: "conflict",
    425: "too_early",
    429: "rate_limited",
    503: "carrier_unavailable",
}
"""Statuses that are tried again although they are no 5xx, and those with codes of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CarrierReply:
    """A reply, or the body of a webhook with the status 0. `json` is None if the body is no JSON."""

    status: int
    json: Any
    retry_after: str | None = None


def parse_json(body: bytes) -> Any:
    """Parse JSON of others. Returns None for anything else, also for NaN and for what is nested too deeply."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def outcome_of(reply: CarrierReply, rules: Sequence[ReplyRule]) -> Outcome | None:
    """Return the outcome by the first rule that matches, or None."""
    for rule in rules:
        if _matches(rule, reply):
            return _outcome(rule, reply)
    return None


def usual_outcome(reply: CarrierReply) -> Failed:
    """Return the outcome of a reply that no rule matches.

    Wrong credentials, 429 and 5xx are tried again, other 4xx are final. A success that no rule describes is not
    believed, and is asked for again.
    """
    status = reply.status
    wait_s = seconds_of(reply.retry_after)
    if status in _TRY_AGAIN:
        return Failed(code=_TRY_AGAIN[status], retryable=True, retry_after_s=wait_s)
    if status >= 500:
        return Failed(code=f"http_{status}", retryable=True, retry_after_s=wait_s)
    if status >= 400:
        return Failed(code=f"http_{status}", message=f"The carrier answered {status}.")
    return Failed(code="unexpected_reply", message=f"The carrier answered {status}.", retryable=True)


def text_at(document: Any, pointer: str | None) -> str | None:
    """Return the text or number at a JSON pointer as clean text of `MAX_TEXT` characters at most, or None."""
    value = value_at(document, pointer) if pointer is not None else _ABSENT
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        text = str(value)
    except ValueError:
        return None
    return _CONTROL.sub(" ", text[: 4 * MAX_TEXT]).strip()[:MAX_TEXT] or None


def value_at(document: Any, pointer: str) -> Any:
    """Return the value at a JSON pointer, or an object that equals nothing."""
    try:
        return JsonPointer(pointer).resolve(document, _ABSENT)
    except (JsonPointerException, TypeError, ValueError, AttributeError):
        return _ABSENT


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _matches(rule: ReplyRule, reply: CarrierReply) -> bool:
    status = str(reply.status)
    if rule.status and not any(status == each or each == f"{status[0]}xx" for each in rule.status):
        return False
    return all(_is_one_of(value_at(reply.json, pointer), wanted) for pointer, wanted in rule.where.items())


def _is_one_of(value: Any, wanted: Any) -> bool:
    options = wanted if isinstance(wanted, list) else [wanted]
    return any(type(value) is type(option) and value == option for option in options)


def _outcome(rule: ReplyRule, reply: CarrierReply) -> Outcome:
    if rule.outcome == "succeeded":
        return Succeeded(carrier_reference=text_at(reply.json, rule.reference_at))
    if rule.outcome == "later":
        return Later()
    found = text_at(reply.json, rule.code_at)
    usual = _TRY_AGAIN.get(reply.status) or (f"http_{reply.status}" if reply.status else "failed")
    code = found.lower() if found and _CODE.fullmatch(found) else rule.code or usual
    message = text_at(reply.json, rule.message_at)
    if rule.outcome == "final":
        return Failed(code=code, message=message)
    asked = seconds_of(reply.retry_after)
    wait_s = rule.retry_after_s if asked is None else asked
    return Failed(code=code, message=message, retryable=True, retry_after_s=wait_s)
