"""From which network a request comes.

The address is that of the connection, or, behind a proxy, what the proxy wrote into the header that the settings name.
A network is one IPv4 address or one /64 of IPv6: whoever has one address of a /64 has all of them.
"""

from ipaddress import IPv6Address, ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

UNKNOWN: Final = "unknown"


def network_of(scope: Scope, header: str | None) -> str:
    """Return the network of a request. `header` is the header that the proxy writes, if there is a proxy.

    Of a list such as `X-Forwarded-For`, the last address counts: the proxy wrote it, the others can be forged. If the
    header is missing or has no address, the address of the connection counts.
    """
    written = Headers(scope=scope).getlist(header) if header else []
    last = written[-1].rpartition(",")[2].strip() if written else ""
    client = scope.get("client")
    return _network(last) or _network(client[0] if client else "") or UNKNOWN


def _network(text: str) -> str | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
