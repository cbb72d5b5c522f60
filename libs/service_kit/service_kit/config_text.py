"""Settings as the TOML that would give them, secrets left out: what ``check-config`` shows."""

import json
from collections.abc import Iterator, Mapping

from service_kit.config import Settings
from service_kit.config_sentences import is_secret, without_credentials


def settings_text(settings: Settings) -> str:
    """Every key in force; keys that are not set (None) are left out, secrets are ``"…"``."""
    return "\n".join(_lines(settings.model_dump(mode="json", exclude_none=True), ())) + "\n"


def _lines(table: Mapping[str, object], above: tuple[str, ...]) -> Iterator[str]:
    tables = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    for name, value in table.items():
        if name not in tables:
            yield f"{name} = {_value('…' if is_secret(name) else value)}"
    for name, below in tables.items():
        yield f"\n[{'.'.join((*above, name))}]"
        yield from _lines(below, (*above, name))


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return without_credentials(json.dumps(value, ensure_ascii=False))
