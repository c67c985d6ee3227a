"""The file that describes a carrier's API: YAML, checked as a whole before anything starts."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

import yaml
from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, Field, JsonValue, ValidationError, field_validator, model_validator

from didflow_adapters.http.credentials import Auth, NoAuth, SecretPlace, Strict
from didflow_adapters.http.templates import BadTemplate, body_template, text_template, url_template
from didflow_contracts.vocabulary import CarrierAction

ACTIONS: Final[frozenset[str]] = frozenset(get_args(CarrierAction))
MAX_FILE_BYTES: Final = 1_000_000


class ConfigurationError(Exception):
    """The file cannot be used. The message says where and why, without the values of secrets."""


def _pointer(text: str) -> str:
    try:
        JsonPointer(text)
    except JsonPointerException:
        raise ValueError("This is not a JSON pointer such as /error/code.") from None
    return text


def _template(text: str) -> str:
    try:
        text_template(text)
    except BadTemplate as error:
        raise ValueError(str(error)) from None
    return text


def _path(text: str) -> str:
    if not text.startswith("/") or text.startswith("//"):
        raise ValueError("A path begins with one slash.")
    try:
        url_template(text)
    except BadTemplate as error:
        raise ValueError(str(error)) from None
    return text


def _body(body: JsonValue) -> JsonValue:
    try:
        body_template(body)
    except BadTemplate as error:
        raise ValueError(str(error)) from None
    return body


Pointer: TypeAlias = Annotated[str, AfterValidator(_pointer)]
Template: TypeAlias = Annotated[str, AfterValidator(_template)]
Path_: TypeAlias = Annotated[str, AfterValidator(_path)]
Body: TypeAlias = Annotated[JsonValue, AfterValidator(_body)]
Status: TypeAlias = Annotated[str, Field(pattern=r"^[1-5]([0-9]{2}|xx)$")]
HeaderName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=3_600)]


class ReplyRule(Strict):
    """Which outcome a reply has. All conditions must hold.

    `status` has statuses such as `404` or `5xx`; empty means any. `where` maps a JSON pointer to the value that the
    reply must have there, or to a list of such values. `code_at`, `message_at` and `reference_at` say where the reply
    has a code, a text, and the carrier's own name for what it did.
    """

    status: tuple[Status, ...] = ()
    where: dict[Pointer, JsonValue] = Field(default_factory=dict, max_length=20)
    outcome: Literal["succeeded", "retryable", "final", "later"]
    code: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,63}$")
    code_at: Pointer | None = None
    message_at: Pointer | None = None
    reference_at: Pointer | None = None
    retry_after_s: int | None = Field(default=None, ge=0, le=86_400)

    @field_validator("status", mode="before")
    @classmethod
    def _statuses(cls, value: Any) -> Any:
        """Accept one status or several, as numbers or texts."""
        given = value if isinstance(value, list | tuple) else [value]
        return [str(each) for each in given]


Rules: TypeAlias = Annotated[tuple[ReplyRule, ...], Field(max_length=100)]


class Call(Strict):
    """One request to the carrier. `path` is added to the base URL. `replies` come before those of all calls."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Path_
    body: Body = None
    headers: dict[HeaderName, Template] = Field(default_factory=dict)
    replies: Rules = ()


class Fixed(Strict):
    """An action that is not sent to the carrier: it has nothing to do for it, or cannot do it."""

    result: Literal["succeeded", "not_supported"]


class Poll(Strict):
    """How to ask for the answer to a call whose outcome was `later`: every `every_s`, for at most `for_s`.

    `path` may use `reply`, the body of the reply to the call. `replies` are the only rules.
    """

    path: Path_
    every_s: Seconds = 1.0
    for_s: Seconds = 20.0
    replies: Rules


class Webhook(Strict):
    """How the carrier reports the answer to a call whose outcome was `later`.

    `public_url` is what the carrier calls; a token is added to it. `token_at` is for carriers that call one fixed URL:
    it says where the body has the token that the call sent as `callback_token`. `secrets` are those of Standard
    Webhooks, old and new during a rotation. `keys` encrypt the token: the first one is used for new tokens. All
    processes of a carrier need the same keys. `replies` judge the body; they have no status.
    """

    public_url: str = Field(pattern=r"^https?://[^\s?#]+[^\s?#/]$", max_length=500)
    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65_535)
    token_at: Pointer | None = None
    secrets: tuple[SecretPlace, ...] = Field(min_length=1)
    keys: tuple[SecretPlace, ...] = Field(min_length=1)
    replies: Rules


class Configuration(Strict):
    """A carrier with an HTTP API."""

    carrier: str = Field(min_length=1, max_length=255)
    base_url: str = Field(pattern=r"^https?://[^\s?#@]+$", max_length=500)
    auth: Auth = NoAuth()
    timeout_s: Seconds = 20.0
    max_reply_bytes: int = Field(default=65_536, ge=1_024, le=10_000_000)
    ca_file: Path | None = None
    headers: dict[HeaderName, Template] = Field(default_factory=dict)
    replies: Rules = ()
    actions: dict[CarrierAction, Call | Fixed]
    poll: Poll | None = None
    webhook: Webhook | None = None

    @model_validator(mode="after")
    def _every_action(self) -> "Configuration":
        missing = ACTIONS - set(self.actions)
        if missing:
            raise ValueError(f"These actions are missing: {', '.join(sorted(missing))}.")
        return self


def load(path: Path) -> Configuration:
    """Read and check a file. Raises ConfigurationError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigurationError(f"{path} is larger than {MAX_FILE_BYTES} bytes.")
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} cannot be read.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ConfigurationError(
            f"{path} is not YAML" + (f": line {mark.line + 1}." if mark else ".")
        ) from None
    try:
        return Configuration.model_validate(content)
    except ValidationError as error:
        wrong = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        raise ConfigurationError(f"{path} has errors.\n" + "\n".join(wrong)) from None
