"""Which URLs others may name. Pure: nothing is resolved here."""

import re
from typing import Final

import httpx

from didflow_webhooks.addresses import PUBLIC_ONLY, Rules
from didflow_webhooks.hosts import Rejected, host_problem

URL_INVALID: Final = "url_invalid"
PORT_NOT_ALLOWED: Final = "port_not_allowed"

MAX_URL: Final = 2_000
_PRINTABLE: Final = re.compile(r"[!-~]+")
_AUTHORITY: Final = re.compile(r"//(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?(?:[/?]|$)")
"""The host and the port of a URL, and nothing else: no user, no escapes, nothing that parsers read in two ways."""

_WEB_PORTS: Final = (80, 443)
_FREE_PORTS: Final = range(1_024, 65_536)


def url_problem(url: str, rules: Rules = PUBLIC_ONLY) -> Rejected | None:
    """Return why a URL can never be called, or None.

    Names are not resolved. The address of a name is judged when a connection is opened.
    """
    parsed = parse_url(url, rules)
    return parsed if isinstance(parsed, Rejected) else None


def parse_url(url: str, rules: Rules = PUBLIC_ONLY) -> httpx.URL | Rejected:
    """Return the parsed URL, or why it cannot be called."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        return _invalid("This is not a URL.")
    wrong = _wrong_form(url, parsed)
    if wrong is not None:
        return _invalid(wrong)
    found = _AUTHORITY.search(url)
    host = found.group(1).strip("[]") if found else ""
    if found is None or host.lower() != parsed.raw_host.decode("ascii", "replace").lower():
        return _invalid("Write the host and the port of the URL in their usual form, without a user.")
    port = int(found.group(2) or 443)
    if port not in _WEB_PORTS and port not in _FREE_PORTS:
        return Rejected(PORT_NOT_ALLOWED, "Use port 80, port 443, or a port between 1024 and 65535.")
    return host_problem(host, rules) or parsed


def _wrong_form(url: str, parsed: httpx.URL) -> str | None:
    if len(url) > MAX_URL:
        return f"The URL is longer than {MAX_URL} characters."
    if parsed.scheme not in ("http", "https"):
        return "The URL must begin with https:// or http://."
    if not parsed.raw_host:
        return "The URL has no host."
    if parsed.userinfo or "\\" in url or not _PRINTABLE.fullmatch(url):
        return "The URL must not contain a user, a password, spaces or characters outside of ASCII."
    if "#" in url:
        return "The URL must not contain a fragment."
    return None


def _invalid(message: str) -> Rejected:
    return Rejected(URL_INVALID, message)
