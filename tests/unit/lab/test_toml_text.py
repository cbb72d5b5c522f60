"""What the lab writes is TOML, and reads back as what was meant."""

import tomllib
from pathlib import Path

from lab.toml_text import Table, merged, toml_text

TABLE: Table = {
    "edge_id": 'a "quoted" \\ one\n',
    "workers": 2,
    "on": True,
    "listen": {"addresses": ("127.0.0.1:25", "[::1]:25")},
    "engines": {"yara": {"rules": ("builtin",)}, "clamd": {"address": Path("/run/clamd.sock")}},
}


def test_it_reads_back() -> None:
    assert tomllib.loads(toml_text(TABLE)) == {
        "edge_id": 'a "quoted" \\ one\n',
        "workers": 2,
        "on": True,
        "listen": {"addresses": ["127.0.0.1:25", "[::1]:25"]},
        "engines": {"yara": {"rules": ["builtin"]}, "clamd": {"address": "/run/clamd.sock"}},
    }


def test_keys_before_tables_whatever_the_order() -> None:
    assert tomllib.loads(toml_text({"table": {"a": 1}, "key": 2})) == {"table": {"a": 1}, "key": 2}


def test_laying_over_goes_into_tables_and_leaves_the_rest() -> None:
    above: Table = {"workers": 3, "engines": {"yara": {"rules": ()}}}
    assert merged(TABLE, above) == {
        **TABLE,
        "workers": 3,
        "engines": {"yara": {"rules": ()}, "clamd": {"address": Path("/run/clamd.sock")}},
    }
