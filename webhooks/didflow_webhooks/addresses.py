"""Which addresses may be connected to if someone else named them. Pure: nothing is resolved here."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_SPECIAL_4: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""Special purposes, among them a metadata service and relays. Some versions of Python count them as global."""

_SPECIAL_6: Final = (
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)
"""Special purposes, among them Teredo and 6to4, whose relays send packets to the IPv4 address inside."""

_METADATA: Final = IPv4Address("168.63.129.16")
"""A metadata service with a public address. The others have link-local, private or shared ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What an operator adds: networks that are `allowed` although they are not public, and `forbidden` ones.

    A forbidden network wins over an allowed one.
    """

    allowed: tuple[Network, ...] = ()
    forbidden: tuple[Network, ...] = ()

    def allow(self, address: Address) -> bool:
        """Return True if a connection to this address may be opened. NAT64 is judged by the address in it."""
        if address in _NAT64:
            return self.allow(IPv4Address(address.packed[-4:]))
        if any(address in network for network in self.forbidden):
            return False
        return any(address in network for network in self.allowed) or is_public(address)


PUBLIC_ONLY: Final = Rules()


def is_public(address: Address) -> bool:
    """Return True for an address of the public internet, at which no internal system answers."""
    if isinstance(address, IPv4Address):
        is_special = address == _METADATA or any(address in network for network in _SPECIAL_4)
        return address.is_global and not address.is_multicast and not is_special
    if any(address in network for network in _SPECIAL_6):
        return False
    return address in _GLOBAL_UNICAST and address.is_global


def networks(*texts: str) -> tuple[Network, ...]:
    """Parse networks such as `10.0.0.0/8`. Raises ValueError."""
    return tuple(ip_network(text) for text in texts)
