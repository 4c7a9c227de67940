"""Where a fault of the configuration is: a file and a key, or the variable that set it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Blame:
    """Names the place of a setting. variables: path of keys -> the variable that sets it."""

    config_dir: Path
    variables: Mapping[tuple[str, ...], str]

    def __call__(self, file: str, keys: tuple[str, ...]) -> str:
        """The beginning of a sentence about the setting at *keys* of a file."""
        path = keys if file == "service" else (file, *keys)
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                inner = "".join(f": {'.'.join(path[length:])}" if path[length:] else "")
                return f"environment variable {self.variables[path[:length]]}{inner}"
        place = f"{self.config_dir / file}.toml"
        if path and (parts := self.variables_of(path)):  # a table, of values from both
            plural = "s" if len(parts) > 1 else ""
            place += f" with environment variable{plural} {' and '.join(parts)}"
        return f"{place}: {'.'.join(keys) or file}"

    def variables_of(self, path: tuple[str, ...]) -> list[str]:
        """The variables that set something in the table at *path*."""
        return [name for at, name in self.variables.items() if at[: len(path)] == path]
