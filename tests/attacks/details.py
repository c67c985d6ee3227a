"""End-user details over HTTP, for numbers whose country asks for a document and a review."""

import io
from collections.abc import Iterable
from typing import Any, Final
from uuid import uuid4

from harness.outside_records import numbers
from PIL import Image

from attacks.target import Target

COMPANY: Final = {
    "type": "business",
    "company_name": "Example Pte Ltd",
    "first_name": "Ann",
    "last_name": "Example",
}
PLACE: Final = {
    "street": "1 Example Road",
    "city": "Singapore",
    "region": "",
    "postal_code": "018989",
    "country": "SG",
}
STRICT: Final = numbers("+6561")
"""Numbers in Singapore, whose end users must show a document."""
_PENDING: Final = "SELECT verification_id FROM verifications WHERE number = ANY($1) AND status = 'pending'"


async def created(target: Target, account: str, expires_on: str = "2031-01-31") -> dict[str, Any]:
    """Create an end user with an address and a document. Return the ids as `assign-end-user` takes them."""
    identity = await succeeds(target, "/v1/identities", COMPANY | {"account": account}, account=account)
    of_it = {"identity_id": identity["identity_id"]}
    address = await succeeds(target, "/v1/addresses", PLACE | of_it, account=account)
    form = {
        **of_it,
        "type": "commercial_register_extract",
        "expires_on": expires_on,
        "states": '{"company_name": "Example Pte Ltd"}',
    }
    files = {"file": ("extract.png", _picture())}
    document = await succeeds(target, "/v1/documents", data=form, files=files, account=account)
    return of_it | {"address_id": address["address_id"], "document_ids": [document["document_id"]]}


async def assign(target: Target, held: Iterable[str], details: dict[str, Any], *, account: str) -> None:
    """Assign details to numbers of an account."""
    body = {"dids": list(held), **details}
    path = "/v1/dids/batch/assign-end-user"
    answer = await succeeds(target, path, body, service="inventory", account=account)
    assert answer["refused"] == 0, answer


async def approve(target: Target, held: Iterable[str]) -> None:
    """Approve the pending verifications of numbers, as a reviewer."""
    for row in await target.databases["verification"].fetch(_PENDING, list(held)):
        path = f"/v1/verifications/{row['verification_id']}/approve"
        await succeeds(target, path, {}, role="reviewer", account="master")


async def succeeds(
    target: Target, path: str, body: Any = None, *, service: str = "verification", **options: Any
) -> Any:
    """Send a POST. Return the answer, which must be a success."""
    answer = await target.call(service, "POST", path, body, key=str(uuid4()), **options)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def _picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(written, "PNG")
    return written.getvalue()
