"""One frozen Settings from a TOML file and the environment; whatever is wrong is a sentence.

``load(ScannerSettings, Path("scanner.toml"), os.environ, "SCANNER")`` reads the file, lays the
variables ``SCANNER_KEY`` and ``SCANNER_SECTION__KEY`` over it, and validates. Unknown keys in
either are errors: a mistyped limit must not silently be no limit. Secrets are not written in
settings but in files that settings name (``admin_token_file``), read by ``read_secret``.

Errors: ``ConfigError`` and nothing else; a line for each mistake, and no line shows a secret.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from service_kit.config_environment import overlay
from service_kit.config_sentences import sentences
from service_kit.errors import ConfigError

__all__ = ["ConfigError", "Settings", "load", "read_secret"]

# A person's file has a few KiB; more is a mistake (a mailbox, /dev/zero), not a configuration.
_LARGEST_FILE_OCTETS: Final = 1024 * 1024
_LARGEST_SECRET_OCTETS: Final = 64 * 1024


class Settings(BaseModel):
    """Base of every table of settings: frozen, no unknown key, no NaN.

    A string under a field is its description in ``docs/configuration.md``.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


Model = TypeVar("Model", bound=Settings)


def load(model: type[Model], path: Path | None, environ: Mapping[str, str], prefix: str) -> Model:
    """The settings of the file (None: no file) under those of the environment."""
    document = _document(path) if path is not None else {}
    source = str(path) if path is not None else "configuration"
    merged, origins = overlay(model, document, environ, prefix)
    try:
        return model.model_validate(merged)
    except ValidationError as invalid:
        text = "\n".join(sentences(invalid, model, merged, source, origins, prefix))
    # Outside the except: the original carries the values, secrets included.
    raise ConfigError(text)


def read_secret(path: Path, key: str) -> str:
    """The text of a secret's file, less the line end an editor leaves; ``key`` named it."""
    octets = _content(path, f"{key} = {path}", _LARGEST_SECRET_OCTETS)
    try:
        secret = octets.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{key} = {path}: the file is not UTF-8 text") from None
    if not secret:
        raise ConfigError(f"{key} = {path}: the file is empty")
    return secret


def _document(path: Path) -> dict[str, object]:
    octets = _content(path, str(path), _LARGEST_FILE_OCTETS)
    try:
        return tomllib.loads(octets.decode("utf-8"))
    except UnicodeDecodeError as wrong:
        line = octets.count(b"\n", 0, wrong.start) + 1
        raise ConfigError(f"{path}: not UTF-8 text (at line {line})") from None
    except tomllib.TOMLDecodeError as wrong:
        raise ConfigError(f"{path}: not TOML: {wrong}") from None


def _content(path: Path, subject: str, limit_octets: int) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(limit_octets + 1)
    except OSError as wrong:
        raise ConfigError(f"{subject}: cannot be read: {wrong.strerror}") from None
    if len(octets) > limit_octets:
        raise ConfigError(f"{subject}: larger than {limit_octets} octets")
    return octets
