"""Templates of URLs, headers and bodies, in Jinja's sandbox. A template that cannot work is an error at the start.

- In a URL, every value is percent-encoded, so it stays inside its segment.
- In a body, a text that consists of one `{{ expression }}` becomes its value with its type: a number, a list, null.
  Any other text stays text. The structure of the body is that of the configuration: no value can change it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError, Undefined, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from didflow_contracts.events import CarrierCommandIssued

Values: TypeAlias = Mapping[str, Any]
Rendered: TypeAlias = Callable[[Values], Any]

NAMES: Final = frozenset(
    {
        "account",
        "action",
        "attempt",
        "callback_token",
        "callback_url",
        "carrier",
        "command_id",
        "did_id",
        "digits",
        "number",
        "parameters",
        "reply",
    }
)
"""What a template may use. `digits` is the number without its plus. `reply` is the carrier's reply, for polls only."""

_ONE_EXPRESSION: Final = re.compile(r"^\{\{((?:(?!\}\}).)*)\}\}$", re.DOTALL)


class BadTemplate(Exception):
    """A template has an error of syntax, uses an unknown name, or gives no usable value."""


def values_of(command: CarrierCommandIssued, callback_url: str, callback_token: str) -> dict[str, Any]:
    """Return what the templates of a command may use."""
    fields: dict[str, Any] = command.model_dump(
        mode="json", include=set(NAMES & set(type(command).model_fields))
    )
    fields["parameters"] = command.parameters.model_dump(mode="json")
    return fields | {
        "digits": command.number.removeprefix("+"),
        "callback_url": callback_url,
        "callback_token": callback_token,
        "reply": None,
    }


def url_template(text: str) -> Rendered:
    """Compile a path with a query. Raises BadTemplate."""
    return _text(_URLS, text)


def text_template(text: str) -> Rendered:
    """Compile a text. Raises BadTemplate."""
    return _text(_TEXTS, text)


def body_template(body: Any) -> Rendered:
    """Compile a structure whose texts are templates. Raises BadTemplate."""
    if isinstance(body, str):
        found = _ONE_EXPRESSION.match(body)
        return _expression(found[1]) if found else text_template(body)
    if isinstance(body, dict):
        fields = {name: body_template(value) for name, value in body.items()}
        return lambda values: {name: render(values) for name, render in fields.items()}
    if isinstance(body, list | tuple):
        items = [body_template(value) for value in body]
        return lambda values: [render(values) for render in items]
    return lambda _: body


def _in_url(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)
    text = str(value)
    if text in ("", ".", ".."):
        raise BadTemplate("A value is not usable in a URL.")
    return quote(text, safe="")


_TEXTS: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_URLS: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, finalize=_in_url)


def _check_names(source: str) -> None:
    try:
        unknown = meta.find_undeclared_variables(_TEXTS.parse(source)) - NAMES
    except TemplateError as error:
        raise BadTemplate(f"The template has an error: {error.message}") from None
    if unknown:
        raise BadTemplate(f"The template uses unknown names: {', '.join(sorted(unknown))}.")


def _text(environment: ImmutableSandboxedEnvironment, text: str) -> Rendered:
    _check_names(text)
    template = environment.from_string(text)

    def render(values: Values) -> str:
        try:
            return template.render(values)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise BadTemplate(f"A template could not be filled in: {type(error).__name__}.") from None

    return render


def _expression(source: str) -> Rendered:
    _check_names("{{" + source + "}}")
    expression = _TEXTS.compile_expression(source, undefined_to_none=False)

    def render(values: Values) -> Any:
        try:
            value = expression(**values)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise BadTemplate(f"A template could not be filled in: {type(error).__name__}.") from None
        if isinstance(value, Undefined):
            raise BadTemplate("A template uses a field that the command does not have.")
        return value

    return render
