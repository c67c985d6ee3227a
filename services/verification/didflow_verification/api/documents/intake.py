"""One upload, from its form to a command: bytes stored sealed as they come, then looked at, then entered.

Whatever goes wrong, bytes without a document are thrown away at once, or later by the sweep.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from didflow_chassis.database import Outage
from didflow_chassis.http import HttpContext
from didflow_chassis.http.idempotency import REPLAYED, header_value, replay
from didflow_chassis.http.problems import FieldError, Problem
from didflow_chassis.stage.idempotency import IdempotencyKey
from didflow_chassis.tables import idempotency as answered
from didflow_contracts.ids import uuid7
from didflow_verification import store
from didflow_verification.api.asking import plain
from didflow_verification.api.documents.bodies import DocumentFields, document_entered
from didflow_verification.api.documents.form import FILE, Form
from didflow_verification.documents.contents import Contents, Writing
from didflow_verification.documents.recognition import AT_ONCE, recognized
from didflow_verification.domain.details.document import MAX_BYTES

SWEPT_BESIDE = 5
"""So many forgotten contents are swept after an upload, so that they never pile up."""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What uploads of one process share: where bytes go, and turns at looking at them."""

    contents: Contents
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def take(self, http: HttpContext, request: Request) -> Response:
        """Take one upload. Raises Problem, Replay, IdempotencyConflict or Outage."""
        form = Form(request, MAX_BYTES)
        key = header_value(request)
        route = f"{request.method} {request.scope['path']}"
        if await _is_answered(http, route, key):
            async for _ in form.pieces():
                pass
            await replay(
                http.runtime.database,
                IdempotencyKey(account=http.caller.account, route=route, value=key, digest=form.digest),
            )
        document_id = uuid7()
        upload = _Upload(http, self.contents, document_id)
        try:
            async for piece in form.pieces():
                await upload.add(form.fields, piece)
            once = IdempotencyKey(account=http.caller.account, route=route, value=key, digest=form.digest)
            response = await upload.enter(once, self.turns)
        finally:
            await upload.end()
        with suppress(Outage):
            await self.contents.sweep(SWEPT_BESIDE)
        return response


class _Upload:
    def __init__(self, http: HttpContext, contents: Contents, document_id: UUID) -> None:
        self._http = http
        self._contents = contents
        self._document_id = document_id
        self._fields: DocumentFields | None = None
        self._writing: Writing | None = None
        self._kept = False

    async def add(self, fields: dict[str, str], piece: bytes) -> None:
        """Store the next bytes; before the first, see whose document it is to be."""
        if self._writing is None:
            self._fields = DocumentFields.of(fields)
            account = await _account_of(self._http, self._fields.identity_id)
            self._writing = await self._contents.begin(self._document_id, account)
        await self._writing.add(piece)

    async def enter(self, once: IdempotencyKey, turns: asyncio.Semaphore) -> Response:
        """Look at what was stored, and let the stage decide."""
        writing, fields = self._writing, self._fields
        if writing is None or fields is None:
            raise unreadable()
        await writing.finish()
        kind = await recognized(self._contents.read(writing.content_id, writing.size), turns)
        if kind is None:
            raise unreadable()
        if not await self._contents.hold(writing.content_id):
            raise Outage("the upload took too long")
        http = HttpContext(
            request=self._http.request, runtime=self._http.runtime, caller=self._http.caller, key=once
        )
        command = fields.command(self._document_id, writing.content_id, kind, writing.size, http.caller)
        response = await http.run(command, status=201, render=plain(document_entered))
        replayed = any(name in response.headers for name in REPLAYED)
        self._kept = response.status_code == 201 and not replayed
        return response

    async def end(self) -> None:
        """Settle what becomes of the bytes; what cannot be settled now is left to the sweep."""
        if self._writing is None:
            return
        with suppress(Outage):
            if self._kept:
                await self._contents.keep(self._writing.content_id)
            else:
                await self._contents.discard(self._writing.content_id)


def unreadable() -> Problem:
    """Make the refusal of a file that nobody could read."""
    error = FieldError(
        field=FILE,
        code="document_unreadable",
        message="PDF, PNG or JPEG, whole and not encrypted; the content counts, not the name",
    )
    return Problem("document_unreadable", "The file cannot be opened or read.", status=422, errors=[error])


async def _is_answered(http: HttpContext, route: str, key: str | None) -> bool:
    if key is None:
        return False
    same = sa.and_(
        answered.c.account == http.caller.account, answered.c.route == route, answered.c.key == key
    )
    return bool(await http.rows(sa.select(answered.c.status).where(same)))


async def _account_of(http: HttpContext, identity_id: UUID) -> str:
    """Return the account of an identity in the caller's reach. Raises Problem `not_found`."""
    mine = store.owned(store.IDENTITIES, http.caller, store.identities.c.identity_id == identity_id)
    rows = await http.rows(mine)
    if not rows:
        raise http.problem(404, "not_found", "No such identity is in your reach.")
    account: str = rows[0]["account"]
    return account
