"""Connections that go to checked addresses only: the name is resolved once, and every address is judged."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any, Final, TypeAlias

import httpcore

from didflow_webhooks.addresses import Address, Rules

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Host and port -> all addresses of the host. Raises OSError if it has none."""

RESOLVER_THREADS: Final = 16
"""Names of others may resolve slowly. Threads of their own keep those of the process free."""


class AddressForbidden(Exception):
    """A host has an address that may not be connected to. No packet was sent to it."""


class SystemResolver:
    """Resolves names as the system does: host files, DNS, and the short forms of addresses."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses of a host, each once. Raises OSError."""
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        texts = dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found)
        return [ip_address(text) for text in texts]

    def close(self) -> None:
        """Start no more look-ups. Does not wait for those under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class CheckedConnections(httpcore.AsyncNetworkBackend):
    """Opens TCP connections for `httpcore`, only to addresses that the rules allow."""

    def __init__(self, rules: Rules, resolve: Resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the addresses of the host.

        Raises AddressForbidden if one of them is not allowed, and ConnectError if none answers.
        """
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("The host was not found.") from error
        if not addresses or not all(self._rules.allow(address) for address in addresses):
            raise AddressForbidden
        failure: Exception = httpcore.ConnectError("No address answers.")
        for address in addresses:
            try:
                return await self._plain.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - the interface of httpcore
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Raise AddressForbidden: a socket of this machine is never what others may name."""
        raise AddressForbidden

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
