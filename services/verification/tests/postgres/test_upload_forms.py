"""Bodies that are no valid upload form: each is refused with a code, and nothing is kept."""

from typing import Any

import pytest

TYPE = "multipart/form-data; boundary=x"


def part(name: str, value: bytes, more: str = "") -> bytes:
    """Return one part of a form."""
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


END = b"--x--\r\n"
FILE = part("file", b"\x89PNG\r\n\x1a\n", '; filename="f"')

FORMS: dict[str, tuple[str, bytes, int, str]] = {
    "no form": (TYPE, b"not a form at all", 400, "body_malformed"),
    "nothing": (TYPE, b"", 400, "body_malformed"),
    "no boundary": ("multipart/form-data", END, 415, "media_type_unsupported"),
    "json": ("application/json", b"{}", 415, "media_type_unsupported"),
    "url-encoded": ("application/x-www-form-urlencoded", b"a=b", 415, "media_type_unsupported"),
    "endless boundary": (f"multipart/form-data; boundary={'x' * 5_000}", END, 400, "body_malformed"),
    "cut off in the file": (TYPE, part("type", b"a") + FILE[:-4], 422, "input_invalid"),
    "no file": (TYPE, part("type", b"passport") + END, 422, "input_invalid"),
    "a field twice": (TYPE, part("type", b"a") * 2 + FILE + END, 422, "input_invalid"),
    "two files": (TYPE, FILE * 2 + END, 422, "input_invalid"),
    "a field too many": (TYPE, b"".join(part(f"f{n}", b"") for n in range(30)), 422, "input_invalid"),
    "a field without end": (TYPE, part("type", b"a" * 20_000) + END, 422, "input_invalid"),
    "no name": (TYPE, b"--x\r\n\r\nabc\r\n" + FILE + END, 422, "unknown_field"),
    "not UTF-8": (TYPE, part("type", b"\xff\xfe") + FILE + END, 422, "input_invalid"),
    "a header without end": (TYPE, b"--x\r\nA: " + b"a" * 100_000, 400, "body_malformed"),
    "rubbish": (TYPE, bytes(range(256)) * 40, 400, "body_malformed"),
    "a NUL": (TYPE, part("states", b'{"a": "\\u0000"}') + FILE + END, 422, "input_invalid"),
    "a lone surrogate": (TYPE, part("states", b'{"a": "\\ud800"}') + FILE + END, 422, "input_invalid"),
    "deep": (TYPE, part("states", b"[" * 16_000) + FILE + END, 422, "input_invalid"),
}


@pytest.mark.parametrize("name", FORMS)
async def test_an_invalid_form_is_refused(running: Any, ann: Any, contents: Any, name: str) -> None:
    """The answer has a stable code, and no content is kept."""
    kind, body, status, code = FORMS[name]
    answer = await ann.post("/v1/documents", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await running.count("document_contents") == 0
    assert contents
