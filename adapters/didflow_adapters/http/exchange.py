"""One request to a carrier and its reply, bounded in time and size."""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, Final

import httpx

from didflow_adapters.http.configuration import Configuration
from didflow_adapters.http.replies import CarrierReply, parse_json
from didflow_adapters.kit import Failed, before_request

MAX_CONNECTIONS: Final = 200


class Exchange:
    """Sends requests to the carrier of a configuration.

    Redirects are not followed, cookies are not kept, proxies and credentials of the environment are not used. The
    operator configures the base URL, so it may have an internal address. Raises MissingSecret.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._timeout_s = configuration.timeout_s
        self._max_bytes = configuration.max_reply_bytes
        self._base_url = configuration.base_url.rstrip("/")
        self._client = httpx.AsyncClient(
            headers=configuration.auth.headers()
            | {"Accept": "application/json", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            timeout=configuration.timeout_s,
            follow_redirects=False,
            trust_env=False,
            verify=_tls(configuration.ca_file),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
        )

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: Any = None
    ) -> CarrierReply | Failed:
        """Return the reply, or a retryable failure if there is none. Nothing of the request is in the failure.

        Each request waits for its place in the rate. Raises CarrierPaused.
        """
        await before_request()
        url = self._base_url + path
        try:
            async with asyncio.timeout(self._timeout_s):
                request = self._client.build_request(method, url, headers=dict(headers), json=body)
                response = await self._client.send(request, stream=True)
                try:
                    return await self._read(response)
                finally:
                    await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return _failed("carrier_unreachable", "The carrier cannot be reached.")
        except (TimeoutError, httpx.TimeoutException):
            return _failed("carrier_timeout", f"The carrier did not reply within {self._timeout_s:g} s.")
        except httpx.HTTPError:
            return _failed("bad_reply", "The carrier's reply is not complete or is not HTTP.")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _read(self, response: httpx.Response) -> CarrierReply | Failed:
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > self._max_bytes:
                return _failed("reply_too_large", f"The reply has more than {self._max_bytes} bytes.")
        return CarrierReply(
            status=response.status_code,
            json=parse_json(bytes(content)),
            retry_after=response.headers.get("retry-after"),
        )


@cache
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    """Return how the carrier's certificate is verified. The certificates are read once, which takes long."""
    return ssl.create_default_context(cafile=ca_file)


def _failed(code: str, message: str) -> Failed:
    return Failed(code=code, message=message, retryable=True)
