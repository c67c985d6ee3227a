"""The Idempotency-Key contract: which call is the same call again, and the first answer given again.

The claim itself is the stage's, in the transaction that writes state, outbox and answer (spec http).
"""

from hashlib import sha256

import sqlalchemy as sa
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.decision import Caller
from didflow_chassis.http.canonical import canonical, is_json
from didflow_chassis.http.problems import MEDIA_TYPE, Problem
from didflow_chassis.http.running import Reads
from didflow_chassis.stage.once import Answer, IdempotencyConflict, Once
from didflow_chassis.tables import idempotency as kept

KEY_HEADER = "Idempotency-Key"
REPLAYED = {"Idempotent-Replayed": "true"}
MAX_KEY = 255
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Replay(Exception):
    """The call was answered before: this is its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


async def claim_of(request: Request, caller: Caller) -> Once:
    """Read what makes this call the same as another: account, method and path, key, and what it asks for.

    Raises Problem `idempotency_key_invalid`, `body_malformed` or `input_invalid`.
    """
    key = key_of(request)
    digest = sha256(await _content(request))
    digest.update(b"\0" + request.scope["query_string"])
    route = f"{request.method} {request.scope['path']}"
    return Once(account=caller.account, route=route, key=key, digest=digest.digest())


def key_of(request: Request) -> str | None:
    """Read the key: 1 to 255 printable ASCII characters, once. Raises Problem `idempotency_key_invalid`."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    key = given[0].strip()
    if len(given) > 1 or not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(
            "idempotency_key_invalid", f"Send one key of 1 to {MAX_KEY} printable ASCII characters."
        )
    return key


async def replay(reads: Reads, once: Once) -> None:
    """Raise Replay where this call has its answer already, so that no check of today stands before it.

    Raises IdempotencyConflict `idempotency_key_reused` where the key belongs to another body.
    """
    if once.key is None:
        return
    same = sa.and_(kept.c.account == once.account, kept.c.route == once.route, kept.c.key == once.key)
    rows = await reads.fetch(sa.select(kept.c.digest, kept.c.status, kept.c.body).where(same))
    for row in rows:
        if row["digest"] != once.digest:
            raise IdempotencyConflict("idempotency_key_reused")
        raise Replay(Answer(status=row["status"], body=row["body"], replayed=True))


def answer_response(answer: Answer) -> Response:
    """Make the response that carries an answer, byte for byte as it was stored."""
    media = MEDIA_TYPE if answer.status >= 400 else "application/json"
    headers = REPLAYED if answer.replayed else None
    return Response(answer.body, answer.status, headers, media if answer.body else None)


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
