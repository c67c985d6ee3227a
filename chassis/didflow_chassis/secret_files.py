"""Where secret settings may lie besides the environment: one file each, as containers mount them.

A setting given both as a variable and as a `_FILE` variable is an error: nobody could tell which one counts.
"""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `<PREFIX><NAME>_FILE=/path`, then the file `<name>` in `<PREFIX>SECRETS_DIR`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return what the field's file holds without the white space around it, or None where it has none.

        Raises ValueError naming the variable when a named file cannot be read or the value is given twice.
        """
        variable = variable_of(self.config.get("env_prefix", ""), field_name)
        named = os.environ.get(f"{variable}_FILE")
        if named and os.environ.get(variable):
            raise ValueError(f"{variable} and {variable}_FILE are both set: give one of them")
        path = Path(named) if named else self._in_directory(field_name)
        return (_content(path, f"{variable}_FILE") if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all fields that have a file."""
        found = {name: self.get_field_value(f, name)[0] for name, f in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _in_directory(self, field_name: str) -> Path | None:
        directory = os.environ.get(variable_of(self.config.get("env_prefix", ""), "secrets_dir"))
        path = Path(directory, field_name) if directory else None
        return path if path and path.is_file() else None


def variable_of(prefix: str, field_name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{prefix}{field_name}".upper()


def _content(path: Path, variable: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{variable}: {path} cannot be read: {type(error).__name__}") from error
