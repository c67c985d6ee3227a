"""The Idempotency-Key: which call repeats an earlier call, and the replay of the first answer.

The stage stores the answer in the transaction that writes states and outbox.
Source: spec http, `Idempotency-Key`.
"""

import re
from dataclasses import replace
from hashlib import sha256

import orjson
import sqlalchemy as sa
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.decision import Caller
from didflow_chassis.encryption import Keyring, keyed_digests
from didflow_chassis.http.lists import Fetch
from didflow_chassis.http.problems import MEDIA_TYPE, FieldError, Problem
from didflow_chassis.stage.idempotency import Answer, IdempotencyConflict, IdempotencyKey
from didflow_chassis.tables import idempotency as stored_answers

KEY_HEADER = "Idempotency-Key"
REPLAYED = {"Idempotent-Replayed": "true"}
MAX_KEY = 255
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class Replay(Exception):
    """The call repeats an earlier call. `answer` is the first answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("The call was answered before.")
        self.answer = answer


async def idempotency_key(request: Request, caller: Caller, keyring: Keyring | None = None) -> IdempotencyKey:
    """Return what identifies the call: account, subject, method and path, the key, and a digest of body and query.

    With a keyring the digest is keyed: a body can contain a secret or personal data that is easily guessed.
    Raises Problem `idempotency_key_invalid`, `body_malformed` or `input_invalid`.
    """
    key = key_of(request, caller)
    digest = sha256(await _content(request))
    digest.update(b"\0" + request.scope["query_string"])
    current, *former = keyed_digests(keyring, digest.digest())
    return replace(key, digest=current, former=tuple(former))


def key_of(request: Request, caller: Caller) -> IdempotencyKey:
    """Return what identifies the call, before its body is read. Raises Problem `idempotency_key_invalid`."""
    return IdempotencyKey(
        account=caller.account,
        subject=caller.subject,
        route=f"{request.method} {request.scope['path']}",
        value=header_value(request),
        digest=b"",
    )


def header_value(request: Request) -> str | None:
    """Return the value of the header, or None if there is none. Raises Problem `idempotency_key_invalid`."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    key = given[0].strip()
    if len(given) > 1 or not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(
            "idempotency_key_invalid", f"Send one key of 1 to {MAX_KEY} printable ASCII characters."
        )
    return key


async def replay(fetch: Fetch, key: IdempotencyKey) -> None:
    """Raise Replay if the call was answered before.

    Raises IdempotencyConflict `idempotency_key_reused` if the key was used with another body.
    """
    if key.value is None:
        return
    columns = stored_answers.c
    wanted = (columns.digest, columns.status, columns.body, columns.location)
    rows = await fetch(sa.select(*wanted).where(_is_of(key)))
    for row in rows:
        if not key.has_body_of(row["digest"]):
            raise IdempotencyConflict("idempotency_key_reused")
        raise Replay(Answer(status=row["status"], body=row["body"], location=row["location"], replayed=True))


async def is_answered(fetch: Fetch, key: IdempotencyKey) -> bool:
    """Return True if a call was answered under the key, whatever its body."""
    return key.value is not None and bool(await fetch(sa.select(stored_answers.c.status).where(_is_of(key))))


def _is_of(key: IdempotencyKey) -> sa.ColumnElement[bool]:
    columns = stored_answers.c
    identity = (columns.account, columns.subject, columns.route, columns.key)
    return sa.and_(*(column == value for column, value in zip(identity, key.identity, strict=True)))


def answer_response(answer: Answer) -> Response:
    """Return the response that carries an answer, byte for byte as it was stored."""
    media = MEDIA_TYPE if answer.status >= 400 else "application/json"
    headers = {**(REPLAYED if answer.replayed else {})}
    if answer.location is not None:
        headers["Location"] = answer.location
    return Response(answer.body, answer.status, headers, media if answer.body else None)


def is_json(content_type: str | None) -> bool:
    """Return True if a Content-Type is JSON."""
    media = (content_type or "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def canonical(body: bytes) -> bytes:
    """Return a JSON body with sorted keys and no spacing, so that equal bodies have equal bytes.

    A body that cannot be stored is refused: NaN, lone surrogates and U+0000.
    Raises Problem `body_malformed` or `input_invalid`.
    """
    try:
        form = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, TypeError) as error:
        message = "The body is not valid JSON, or it is nested too deeply."
        errors = [FieldError(field="body", code="body_malformed", message=message)]
        raise Problem("body_malformed", message, errors=errors) from error
    if _NUL.search(form):
        message = "Remove the character U+0000 from the body."
        errors = [FieldError(field="body", code="character_not_allowed", message=message)]
        raise Problem("input_invalid", message, errors=errors)
    return form


async def _content(request: Request) -> bytes:
    try:
        body = await request.body()
    except RuntimeError:
        return await _form_content(await request.form())
    return canonical(body) if body and is_json(request.headers.get("content-type")) else body


async def _form_content(form: FormData) -> bytes:
    digest = sha256()
    for name, value in form.multi_items():
        digest.update(f"\0{name}\0".encode())
        if not isinstance(value, UploadFile):
            digest.update(value.encode())
            continue
        while chunk := await value.read(65_536):
            digest.update(chunk)
        await value.seek(0)
    return digest.digest()
