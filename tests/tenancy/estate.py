"""The four services on PostgreSQL, with the same things for several accounts, made over HTTP and by events."""

import asyncio
import base64
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from faults.services_in_process import CARRIER, ServicesInProcess, event_of, event_record
from PIL import Image
from pydantic import SecretStr

from didflow.services import service, settings_class
from didflow_chassis.records import Record
from didflow_chassis.service import Service
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.events import ResultReported
from didflow_contracts.topics import SERVICES

OWNER: Final = "master/acme-2"
PARENT: Final = "master"
CHILD: Final = "master/acme-2/shop"
FIRM: Final = f"{OWNER}/firm"
"""The enterprise that each account has below it. Its users are persons."""
UNRELATED: Final = ("master/other", "rival")
SIMILAR: Final = ("master/acme", "master/ac", "master/acme-20")
"""Accounts whose names are a prefix of the owner's, or continue it."""
ACCOUNTS: Final = (PARENT, "rival", OWNER, CHILD, "master/other", *SIMILAR)
SUBJECT: Final = "ann"
REVIEWER: Final = "rita"
USER: Final = "uma"
"""The subjects are the same in all accounts, so that only the account tells callers apart."""
KEY: Final = base64.b64encode(bytes(range(32))).decode()

Things = dict[str, str]
"""What an account has: the name of a placeholder -> its value."""


def services() -> dict[str, Service]:
    """Return the four services, with a key for documents and one for secrets."""
    with_keys = {
        name: settings_class(name).placeholder().model_copy(update={field: SecretStr(f"k1:{KEY}")})
        for name, field in (("verification", "document_keys"), ("provisioning", "secret_keys"))
    }
    return {name: service(name, with_keys.get(name)) for name in SERVICES}


@dataclass(kw_only=True)
class Estate:
    """Four services, and for each account the things that it has. `made_at` is when all things were there."""

    opened: Mapping[str, ServiceOnPostgres]
    things: dict[str, Things] = field(default_factory=dict)
    made_at: str = ""
    locks: Mapping[str, asyncio.Lock] = field(
        default_factory=lambda: {path: asyncio.Lock() for path in ACCOUNTS}
    )
    _new: Iterator[int] = field(default_factory=itertools.count)
    _clients: dict[tuple[str, str, str, str], httpx.AsyncClient] = field(default_factory=dict)

    def client(self, name: str, account: str, role: str, subject: str | None = None) -> httpx.AsyncClient:
        """Return a client of a service for one caller, with the subject of its role unless another is given."""
        named = subject or {"reviewer": REVIEWER, "user": USER}.get(role, SUBJECT)
        key = (name, account, role, named)
        if key not in self._clients:
            self._clients[key] = self.opened[name].client(account, role, named)
        return self._clients[key]

    def new_things(self) -> Things:
        """Return names that nothing has yet, others in each call."""
        n = next(self._new)
        return {
            "new_number": f"+35321{9_000_000 + n}",
            "new_order": f"order {n:06}",
            "new_name": f"new-{n:06}",
        }

    async def do(self, name: str, account: str, role: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send a POST that must succeed. Return the body of the answer."""
        sent = {"json": body} if body is not None else {}
        answer = await self.client(name, account, role).request(
            more.pop("method", "POST"), path, **sent, **more
        )
        assert answer.is_success, f"{path} for {account}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def deliver(self, failing: Iterable[str] = ()) -> None:
        """Deliver all events until no service publishes more. The carrier does all but the actions in `failing`."""
        together = ServicesInProcess(
            stages={name: one.stage for name, one in self.opened.items()},
            dsns={name: one.database.dsn for name, one in self.opened.items()},
        )
        while published := await together.publish():
            await together.receive([*published, *_results(published, failing)])


def _results(records: Iterable[Record], failing: Iterable[str]) -> Iterable[Record]:
    now = datetime.now(UTC)
    commands = [event_of(record) for record in records if record.topic == "provisioning.commands"]
    for command in commands:
        failed = command.data.action in failing
        names = ("did_id", "number", "account", "command_id", "attempt")
        result = ResultReported(
            **{name: getattr(command.data, name) for name in names},
            outcome="failed" if failed else "succeeded",
            retryable=False,
            code="rejected" if failed else None,
            completed_at=now,
        )
        yield event_record(result, f"result of {command.id}", source=CARRIER, time=now)


def scan() -> bytes:
    """Return an image that can be opened."""
    written = io.BytesIO()
    Image.effect_noise((64, 48), 90).convert("RGB").save(written, "PNG")
    return written.getvalue()
