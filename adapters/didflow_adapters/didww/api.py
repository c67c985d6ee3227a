"""The client of the SDK with timeouts, and the outcomes of its errors."""

from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

from didww.client import DidwwClient
from didww.exceptions import DidwwApiError
from requests import Response
from requests.adapters import HTTPAdapter

from didflow_adapters.kit import Failed
from didflow_adapters.kit.retry_after import seconds_of

TIMEOUTS_S: Final = (5.0, 10.0)
"""To connect, and between two bytes of a reply. The SDK has no timeout, and a thread cannot be canceled."""

SERVER_ERROR: Final = 500
FUNDS_RETRY_S: Final = 3_600
_FAILURES: Final[Mapping[int, Failed]] = {
    401: Failed(code="unauthorized", retryable=True, retry_after_s=60),
    403: Failed(code="unauthorized", retryable=True, retry_after_s=60),
    404: Failed(code="conflict", retryable=True),
    409: Failed(code="conflict", retryable=True),
    422: Failed(code="rejected"),
    429: Failed(code="rate_limited", retryable=True, retry_after_s=1),
}
"""Status -> failure. Other statuses: from 500 on `carrier_unavailable`, retryable; below `bad_request`, final.

401 and 403 are retryable: an operator corrects the key or the account, and the number is not at fault.
404 is retryable: what is written to has just been read, so it was deleted in between.
"""


class Client(DidwwClient):  # type: ignore[misc]
    """The client of the SDK, with a timeout for each request and `retry_after` in its errors.

    It calls `before_request` before each request. It follows no redirect, because `requests` would send the API key to
    the other host too. It keeps no cookies, and uses no proxies and no credentials of the environment.
    """

    def __init__(self, api_key: str, url: str, before_request: Callable[[], None]) -> None:
        super().__init__(api_key, base_url=url)
        self._session.max_redirects = 0
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Bounded(before_request))

    def _handle_response(self, resp: Response) -> Any:
        try:
            return super()._handle_response(resp)
        except DidwwApiError as error:
            error.retry_after = resp.headers.get("Retry-After")
            raise


class _Bounded(HTTPAdapter):
    def __init__(self, before_request: Callable[[], None]) -> None:
        super().__init__()
        self._before_request = before_request

    def send(self, *args: Any, **options: Any) -> Response:
        self._before_request()
        return super().send(*args, **options | {"timeout": TIMEOUTS_S})


class Refused(Exception):
    """The command cannot be carried out at DIDWW now, or at all if there is no `retry_after_s`."""

    def __init__(self, code: str, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        retryable = retry_after_s is not None
        self.outcome = Failed(code=code, message=message, retryable=retryable, retry_after_s=retry_after_s)


def failure_of(error: DidwwApiError) -> Failed:
    """Return an error of the API as an outcome: retryable if a later attempt can succeed."""
    message = str(error)
    if any(each.get("title") == "Insufficient funds" for each in error.errors):
        return Failed(code="insufficient_funds", message=message, retryable=True, retry_after_s=FUNDS_RETRY_S)
    if error.status_code >= SERVER_ERROR:
        known = Failed(code="carrier_unavailable", retryable=True)
    else:
        known = _FAILURES.get(error.status_code, Failed(code="bad_request"))
    asked = seconds_of(getattr(error, "retry_after", None)) if known.retryable else None
    after_s = known.retry_after_s if asked is None else asked
    return Failed(code=known.code, message=message, retryable=known.retryable, retry_after_s=after_s)


def first(found: list[Any], attribute: str, value: str) -> Any | None:
    """Return the oldest that has exactly this value, whatever the filter of the API has matched."""
    exact = [each for each in found if each.attributes.get(attribute) == value]
    return min(exact, key=lambda each: str(each.attributes.get("created_at")), default=None)
