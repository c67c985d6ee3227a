"""Refuses versions of a library whose private parts the code does not fit."""

from collections.abc import Collection, Mapping
from importlib.metadata import version

AIOKAFKA = frozenset({"0.14.0"})
FASTSTREAM = frozenset({"0.7.8"})

Fits = Mapping[str, Collection[str]]


class UnsupportedVersion(Exception):
    """A library is installed in a version that was not tested with this code."""

    code = "library_version_unsupported"


def require(fits: Fits, *, user: str) -> None:
    """Raise UnsupportedVersion if a library is not installed in one of the listed versions."""
    for library, versions in fits.items():
        installed = version(library)
        if installed not in versions:
            raise UnsupportedVersion(
                f"{library} {installed} is installed, but {user} depends on private parts of {library} and was tested "
                f"only with {' and '.join(sorted(versions))}. Install {library}=={max(versions)}."
            )
