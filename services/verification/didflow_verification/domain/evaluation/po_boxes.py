"""Recognizing a post office box in an address, in the languages of the catalogue's countries."""

import re

_BOX = re.compile(
    r"""
    \b p \s? \.? \s? o \s? \.? \s? box \b | \b post \s? office \s+ box \b | \b locked \s+ bag \b
    | \b postfach \b | \b postbus \b | \b postboks \b | \b postbox \b | \b box \s+ \d+ \s* $
    | \b bo[iî]te \s+ postale \b | \b b\.? \s? p\.? \s* \d+ | \b case \s+ postale \b | \b casella \s+ postale \b
    | \b apartado (\s+ (de \s+ correos | postal))? \s* \d+ | \b apartado \s+ (de \s+ correos | postal) \b
    | \b caixa \s+ postal \b | \b skrytka \s+ pocztowa \b | \b skr\. \s* poczt\.
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_po_box(street: str) -> bool:
    """Whether the street lines name a post office box rather than a place."""
    return any(_BOX.search(line) for line in street.splitlines())
