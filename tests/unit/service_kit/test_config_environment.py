from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from service_kit.config import ConfigError, Settings
from service_kit.config_environment import overlay, variable


class _Table(Settings):
    count: int = 1
    ratio: float = 1.0
    text: str = ""
    maybe: str | None = None
    noted: Annotated[str, Field(max_length=9)] = ""
    path: Path = Path()
    on: bool = False
    names: list[str] = Field(default_factory=list)


class _Red(Settings):
    kind: Literal["red"] = "red"
    redness: int = 0


class _Blue(Settings):
    kind: Literal["blue"] = "blue"
    blueness: int = 0


class _Top(Settings):
    table: _Table = _Table()
    optional: _Table | None = None
    free: dict[str, _Table] = Field(default_factory=dict)
    colour: _Red | _Blue = Field(default=_Red(), discriminator="kind")


def _overlaid(**environ: str) -> dict[str, object]:
    return overlay(_Top, {}, environ, "TOP")[0]


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("COUNT", "8", 8),
        ("COUNT", "eight", "eight"),
        ("RATIO", "0.5", 0.5),
        ("ON", "true", True),
        ("NAMES", '["a", "b"]', ["a", "b"]),
        ("TEXT", "plain", "plain"),
        ("TEXT", "8", "8"),
        ("TEXT", "true", "true"),
        ("TEXT", '"quoted"', "quoted"),
        ("TEXT", "", ""),
        ("MAYBE", "1.50", "1.50"),
        ("NOTED", "007", "007"),
        ("PATH", "1979-05-27", "1979-05-27"),
        ("COUNT", "1\ntext = 2", "1\ntext = 2"),
    ],
)
def test_a_value_is_toml_where_it_parses_and_text_where_text_is_wanted(
    key: str, text: str, value: object
) -> None:
    overlaid = _overlaid(**{f"TOP_TABLE__{key}": text})
    assert overlaid == {"table": {key.lower(): value}}


def test_optional_tables_free_names_and_unions_are_reached() -> None:
    assert _overlaid(TOP_OPTIONAL__COUNT="2") == {"optional": {"count": 2}}
    assert _overlaid(TOP_FREE__SMALL__COUNT="2") == {"free": {"small": {"count": 2}}}
    assert _overlaid(TOP_COLOUR__BLUENESS="2") == {"colour": {"blueness": 2}}


def test_a_whole_table_comes_before_its_keys() -> None:
    overlaid = _overlaid(TOP_TABLE="{ count = 2, on = true }", TOP_TABLE__COUNT="3")
    assert overlaid == {"table": {"count": 3, "on": True}}


def test_the_document_is_not_changed() -> None:
    document: dict[str, object] = {"table": {"count": 1}}
    merged, _ = overlay(_Top, document, {"TOP_TABLE__COUNT": "2"}, "TOP")
    assert merged == {"table": {"count": 2}}
    assert document == {"table": {"count": 1}}


def test_which_variable_set_a_key_is_remembered() -> None:
    _, origins = overlay(_Top, {}, {"TOP_TABLE__COUNT": "2"}, "TOP_")
    assert origins == {("table", "count"): "TOP_TABLE__COUNT"}
    assert variable("TOP_", ("table", "count")) == "TOP_TABLE__COUNT"


def test_an_unknown_variable_is_an_error_with_the_name_that_was_meant() -> None:
    with pytest.raises(ConfigError, match="did you mean TOP_TABLE__COUNT") as wrong:
        _overlaid(TOP_TABLE__COUTN="2")
    assert str(wrong.value).startswith("TOP_TABLE__COUTN: no setting has this name")


def test_an_unknown_variable_like_no_other_is_an_error_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"known are .*TOP_TABLE__COUNT"):
        _overlaid(TOP_XYZZY="2")


def test_a_value_is_not_also_a_table() -> None:
    with pytest.raises(ConfigError, match="TOP_TABLE__COUNT: 'table' holds a value"):
        _overlaid(TOP_TABLE="3", TOP_TABLE__COUNT="2")


@pytest.mark.parametrize(
    "name",
    [
        "TOP_SERVICE_HOST",
        "TOP_SERVICE_PORT",
        "TOP_SERVICE_PORT_GRPC",
        "TOP_PORT",
        "TOP_PORT_7001_TCP",
        "TOP_PORT_7001_TCP_ADDR",
        "TOP_METRICS_SERVICE_HOST",
    ],
)
def test_what_kubernetes_says_of_a_service_called_like_us_is_no_mistake(name: str) -> None:
    assert _overlaid(**{name: "tcp://10.0.0.1:7001"}) == {}


def test_variables_of_others_are_left_alone() -> None:
    assert _overlaid(TOPMOST="1", top_table__count="2", TO_P="3") == {}
