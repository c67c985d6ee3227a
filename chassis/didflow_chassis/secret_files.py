"""A source of settings: one file for each setting, as containers mount them.

A setting that is given both as a variable and as a `_FILE` variable is an error.
"""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the file that `<PREFIX><NAME>_FILE` names, or else the file `<name>` in `<PREFIX>SECRETS_DIR`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the content of the field's file without surrounding white space, or None without a file.

        Raises ValueError with the name of the variable if the file cannot be read or the value is given twice.
        """
        variable = variable_of(self.config.get("env_prefix", ""), field_name)
        named = os.environ.get(f"{variable}_FILE")
        if named and os.environ.get(variable):
            raise ValueError(f"{variable} and {variable}_FILE are both set. Set only one of them")
        path = Path(named) if named else self._in_directory(field_name)
        return (_content(path, variable) or None if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all fields that have a file."""
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[name] = self._decoded(name, field, value, is_complex=is_complex)
        return found

    def _decoded(self, name: str, field: FieldInfo, value: str, *, is_complex: bool) -> Any:
        try:
            return self.prepare_field_value(name, field, value, is_complex)
        except ValueError:
            variable = variable_of(self.config.get("env_prefix", ""), name)
            raise ValueError(f"{variable}: the content of its file is not JSON") from None

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
        raise ValueError(f"{variable}_FILE: {path} cannot be read: {type(error).__name__}") from error
