"""Writes the catalogue as a Markdown page: what each row requires, from whom, since when, and its sources."""

from collections.abc import Iterable, Iterator
from typing import Final

from didflow_verification.domain.requirements import (
    AddressRule,
    CountryRules,
    DocumentGroup,
    IdentityField,
    Requirement,
)

HEAD: Final = """# What countries require

`didflow-verification catalogue table` makes this page from the files in `didflow_verification/catalogue/`. A test
compares both. The catalogue of a deployment is in its database: `didflow-verification catalogue show` prints it. The
rows were collected from public pages, for tests and demonstrations. They are not legal advice.

Each row says which numbers and end users it applies to, what it requires, and since when. A field in brackets is
optional, but it is checked if it is given. A ✓ marks an identifier with a check character. The country `*` applies to
all numbers for which no other row exists.
"""

_MATCHES: Final = {
    "none": "anywhere",
    "country": "in the number's country",
    "region": "in the number's region",
    "area": "in the area of the prefix",
}
_PROOF: Final = {True: ", with proof", False: "", None: ", proof unknown"}


def as_markdown(countries: Iterable[CountryRules]) -> str:
    """Return the whole page."""
    countries = tuple(countries)
    parts = [HEAD, "\n".join(_overview(countries)), *(_country(rules) for rules in countries)]
    return "\n".join(parts) + "\n"


def _overview(countries: Iterable[CountryRules]) -> Iterator[str]:
    yield "| country | row | version | numbers | end users | since | until | required | review by a person |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for rules in countries:
        for row in rules.requirements:
            yield (
                f"| `{rules.country}` | `{row.key}` | {row.version} | {row.number_type} | "
                f"{', '.join(row.end_user_types)} | {row.effective_from} | {row.effective_to or ''} | "
                f"{'yes' if row.required else 'no'} | {'yes' if row.review.manual else 'no'} |"
            )
    yield ""


def _country(rules: CountryRules) -> str:
    return "\n".join(["", f"## {rules.country}", *(_row(row) for row in rules.requirements)])


def _row(row: Requirement) -> str:
    cells = [*(_required(row) if row.required else [("required", "nothing")]), *_conditions(row)]
    sources = (f"- {_source(s.title, s.publisher, s.url)}: {s.seen}" for s in row.sources)
    head = ["", f"### `{row.key}` version {row.version}", "", "| | |", "|---|---|"]
    return "\n".join(
        [*head, *(f"| {name} | {_cell(text)} |" for name, text in cells), "", "Sources:", "", *sources]
    )


def _required(row: Requirement) -> Iterator[tuple[str, str]]:
    for kind in row.end_user_types:
        fields = [_field(field) for field in row.identity_fields if field.applies_to in {None, kind}]
        yield kind, ", ".join(fields) or "no fields"
    yield "address", _address(row.address)
    for group in row.documents:
        yield group.group, _documents(group)
    if row.cross_checks:
        yield "must agree", ", ".join(f"`{c.left}` with `{c.equals}`" for c in row.cross_checks)


def _conditions(row: Requirement) -> Iterator[tuple[str, str]]:
    for restriction in row.restrictions:
        yield restriction.code, " ".join(filter(None, (restriction.text, restriction.note)))
    if row.reverify:
        yield "verify again", f"approved DIDs; their approval counts until {row.grace_until}"


def _field(field: IdentityField) -> str:
    name = f"`{field.field}`{' ✓' if field.checksum else ''}"
    if field.unless:
        return f"{name} (or {', '.join(f'`{path}`' for path in field.unless)})"
    return f"[{name}]" if field.when_given else name


def _address(rule: AddressRule) -> str:
    if not rule.required:
        return "not required"
    return f"{_MATCHES[rule.match]}{_PROOF[rule.proof]}"


def _documents(group: DocumentGroup) -> str:
    age = f", at most {group.max_age_days} days old" if group.max_age_days is not None else ""
    return f"one of {', '.join(f'`{kind}`' for kind in group.accepts)}{age}"


def _source(title: str, publisher: str, url: str | None) -> str:
    named = title if title == publisher else f"{title} ({publisher})"
    return f"[{named}]({url})" if url else named


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
