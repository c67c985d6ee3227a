"""Where settings are read: environment variables, and files as containers mount them.

Every setting can be a file. A setting that is given both as a variable and as a `_FILE` variable is an error.
"""

import os
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

PREFIX: Final = "DIDFLOW_"
DIRECTORY: Final = f"{PREFIX}SECRETS_DIR"


class SettingsError(Exception):
    """The process cannot start with these settings. `problems` has one sentence for each problem."""

    code = "settings_invalid"

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Variables(EnvSettingsSource):
    """Reads environment variables."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return a decoded JSON value. Raises SettingsError."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            raise SettingsError(f"{variable_of(field_name)}: is not JSON") from None


class SettingFiles(PydanticBaseSettingsSource):
    """Reads the file that `DIDFLOW_<NAME>_FILE` names, or else the file `<name>` in `DIDFLOW_SECRETS_DIR`."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._variables = Variables(settings_cls)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the content of the field's file without surrounding white space, or None without a file.

        Raises SettingsError if the file cannot be read or the value is given twice.
        """
        variable = variable_of(field_name)
        named = os.environ.get(f"{variable}_FILE")
        if named and os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set. Set only one of them")
        path = Path(named) if named else _in_directory(field_name)
        return (_content(path, variable) or None if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values of all fields that have a file."""
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[name] = self._variables.prepare_field_value(name, field, value, is_complex)
        return found


def variable_of(field_name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{field_name}".upper()


def _in_directory(field_name: str) -> Path | None:
    directory = os.environ.get(DIRECTORY)
    path = Path(directory, field_name) if directory else None
    return path if path and path.is_file() else None


def _content(path: Path, variable: str) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}_FILE: {path} cannot be read: {type(error).__name__}") from error
