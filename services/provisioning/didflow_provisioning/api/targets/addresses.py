"""The types of addresses that accounts name as targets: SIP URIs, numbers, hosts, callback URLs and mail addresses.

What is accepted is stored and sent to carriers as it was written. Whether a SIP or SMPP host is internal depends on the
installation (`networks`). A callback URL and a mail address are never internal.
"""

import re
from collections.abc import Callable
from typing import Annotated, Final

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, JsonValue, SecretStr
from pydantic_core import PydanticCustomError, PydanticKnownError

from didflow_chassis.http import ErrorMessage
from didflow_contracts.bounds import NAME, PORT
from didflow_contracts.numbers import E164, is_valid
from didflow_webhooks import Rejected, Rules, host_problem, is_secret, url_problem
from didflow_webhooks.addresses import networks

ANY_NETWORK: Final = Rules(allowed=networks("0.0.0.0/0", "::/0"))
"""With these rules, only the form of a host is judged."""

_USER: Final = r"(?:[A-Za-z0-9._~+*-]|%(?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e])){1,64}"
_HOST: Final = r"[A-Za-z0-9.-]{1,190}|\[[0-9A-Fa-f:.]{2,45}\]"
_PARAMETER: Final = r";[A-Za-z0-9-]{1,32}(?:=[A-Za-z0-9._~+-]{1,64})?"
SIP_URI_PATTERN: Final = (
    rf"^sips?:(?:({_USER})@)?({_HOST})(?::([1-9][0-9]{{0,4}}))?((?:{_PARAMETER}){{0,8}})$"
)
"""A SIP URI without a password and without headers. Source: RFC 3261, 25.1."""

_SIP_URI: Final = re.compile(SIP_URI_PATTERN, re.ASCII)
_OTHER_DESTINATION: Final = frozenset(("maddr", "method", "transport", "ttl"))
"""Parameters that let a request go elsewhere, or in another way, than host, port and `transport` say."""

_Address = Annotated[str, Field(min_length=NAME.least, max_length=NAME.most)]


def host_of(sip_uri: str) -> str:
    """Return the host of a SIP URI, IPv6 without brackets."""
    found = _SIP_URI.fullmatch(sip_uri)
    if found is None:
        raise ValueError("not a SIP URI")
    return found.group(2).strip("[]")


def _checked(problem_of: Callable[[str], Rejected | None]) -> AfterValidator:
    """Return the check of a text. It never changes the text."""

    def check(text: str) -> str:
        problem = problem_of(text)
        if problem is not None:
            raise PydanticCustomError(problem.code, "{message}", {"message": problem.message})
        return text

    return AfterValidator(check)


def _problem_of_host(host: str) -> Rejected | None:
    return host_problem(host, ANY_NETWORK)


def _problem_of_sip_uri(uri: str) -> Rejected | None:
    found = _SIP_URI.fullmatch(uri)
    if found is None:
        return Rejected("format_invalid", _NO_SIP_URI)
    _, _, port, written = found.groups()
    if port and int(port) not in PORT:
        return Rejected("out_of_range", f"Use a port between {PORT.least} and {PORT.most}.")
    names = [each.partition("=")[0].lower() for each in written.split(";")[1:]]
    if len(set(names)) < len(names) or _OTHER_DESTINATION & set(names):
        return Rejected(
            "sip_parameter_not_allowed",
            "Name each parameter once, and none of maddr, method, transport and ttl. The transport has its own field.",
        )
    return _problem_of_host(host_of(uri))


def _problem_of_email(text: str) -> Rejected | None:
    try:
        found = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError:
        found = None
    if found is None or not text.isascii():
        return Rejected("email_invalid", "Write a mail address in ASCII, such as sms@example.com.")
    return host_problem(found.ascii_domain or "")


def _problem_of_number(number: str) -> Rejected | None:
    if is_valid(number):
        return None
    return Rejected("invalid_number", "No numbering plan has this number.")


def _of_length(secret: SecretStr) -> SecretStr:
    """Check the length of a secret as that of a text. pydantic would count it as items of a list."""
    length = len(secret.get_secret_value())
    if length < NAME.least:
        raise PydanticKnownError("string_too_short", {"min_length": NAME.least})
    if length > NAME.most:
        raise PydanticKnownError("string_too_long", {"max_length": NAME.most})
    return secret


def _webhook_secret(secret: SecretStr) -> SecretStr:
    if not is_secret(secret.get_secret_value()):
        raise PydanticCustomError(
            "secret_invalid",
            "Write whsec_ and 24 to 64 random bytes in base64, as Standard Webhooks asks for.",
        )
    return secret


def _password(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise PydanticCustomError("secret_invalid", "Write a password of printable ASCII characters.")
    return secret


_NO_SIP_URI: Final = "Write a SIP URI without a password, such as sip:pbx.example.com:5060."
SipUri = Annotated[
    str,
    Field(
        max_length=NAME.most,
        pattern=SIP_URI_PATTERN,
        description="A SIP or SIPS URI. It has no password, no headers, and no maddr, method, transport and ttl.",
        examples=["sip:pbx.example.com:5060"],
    ),
    ErrorMessage(_NO_SIP_URI),
    _checked(_problem_of_sip_uri),
]
ForwardNumber = Annotated[E164, _checked(_problem_of_number)]
Host = Annotated[_Address, _checked(_problem_of_host)]
CallbackUrl = Annotated[_Address, _checked(url_problem)]
MailAddress = Annotated[_Address, _checked(_problem_of_email)]

_WRITTEN_ONLY: Final = "It is stored encrypted, and shown to adapters only."
_LENGTH: Final[dict[str, JsonValue]] = {"minLength": NAME.least, "maxLength": NAME.most}
_Secret = Annotated[
    SecretStr, Field(description=_WRITTEN_ONLY, json_schema_extra=_LENGTH), AfterValidator(_of_length)
]
WebhookSecret = Annotated[_Secret, AfterValidator(_webhook_secret)]
Password = Annotated[_Secret, AfterValidator(_password)]
SystemId = Annotated[
    str,
    Field(
        pattern=r"^[!-~]{1,15}$",
        description="The name of the account at the server. Source: SMPP 3.4, 5.2.1.",
        examples=["acme"],
    ),
    ErrorMessage("Write 1 to 15 printable ASCII characters without spaces."),
]
