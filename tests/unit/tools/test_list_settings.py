from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from service_kit.addresses import HostPort
from service_kit.config import Settings
from tools import list_settings
from tools.list_settings import main, tables


class _Colour(Enum):
    RED = "red"
    BLUE = "blue"


class _Engine(Settings):
    deadline_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Seconds for one scan,
    or ``less``."""


class _Fast(_Engine):
    deadline_s: float = 1.0


class _Top(Settings):
    listen: HostPort
    """Where."""
    mode: Literal["a", "b"] = "a"
    colours: tuple[_Colour, ...] = (_Colour.RED,)
    pattern: str | None = Field(default=None, pattern="^a|b$")
    tags: list[str] = Field(default_factory=list)
    name: str = Field(default_factory=lambda: "here")
    engines: dict[str, _Engine] = Field(default_factory=dict)
    """Each is on."""
    fast: _Fast | None = None


def test_each_key_is_a_row_and_each_section_a_table() -> None:
    assert (
        "".join(tables(_Top))
        == """
| key | takes | default | meaning |
|---|---|---|---|
| `listen` | host:port | **required** | Where. |
| `mode` | `a` or `b` | `"a"` |  |
| `colours` | list of `red` or `blue` | `["red"]` |  |
| `pattern` | text, like `^a\\|b$` | none |  |
| `tags` | list of text | empty |  |
| `name` | text | found at the start |  |

### [engines.NAME]

Each is on.

| key | takes | default | meaning |
|---|---|---|---|
| `deadline_s` | number, above 0, at most 60 | `5.0` | Seconds for one scan, or `less`. |

### [fast]

Off unless it is given.

| key | takes | default | meaning |
|---|---|---|---|
| `deadline_s` | number | `1.0` | Seconds for one scan, or `less`. |
"""
    )


def test_a_type_without_a_word_is_a_mistake() -> None:
    class Odd(Settings):
        value: complex = 0j

    with pytest.raises(TypeError, match="no word for"):
        list(tables(Odd))


def test_check_fails_when_the_page_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(list_settings, "PAGE", tmp_path / "configuration.md")
    monkeypatch.setattr(list_settings, "SERVICES", ())
    assert main(["--check"]) == 1
    assert "not up to date" in capsys.readouterr().err
    assert main(["--write"]) == 0
    assert main(["--check"]) == 0


def test_the_page_in_the_repository_is_what_the_settings_say() -> None:
    assert list_settings.PAGE.read_text("utf-8") == list_settings.page(), (
        "run: python tools/list_settings.py --write"
    )


@pytest.mark.parametrize("service", list_settings.SERVICES, ids=lambda service: service.name)
def test_every_key_of_every_service_has_a_meaning(service: list_settings.Service) -> None:
    rows = "".join(tables(list_settings.model_of(service.model))).splitlines()
    assert [row for row in rows if row.endswith("|  |")] == []
