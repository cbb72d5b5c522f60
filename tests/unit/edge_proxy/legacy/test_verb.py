import argparse
import tomllib
from pathlib import Path

import pytest

from edge_proxy.__main__ import main
from edge_proxy.legacy.verb import EXIT_NOT_ALL, LEGACY_VERB, REPORT, import_legacy
from rulebook.document import parse

_ALL = "mode netfilter\nantivirus_type clamd\n"


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "smtp-gated.conf"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _asked(file: Path, out: Path | None = None) -> argparse.Namespace:
    return argparse.Namespace(file=file, out=out)


def test_files_and_account_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_legacy(_asked(_file(tmp_path, _ALL))) == 0
    printed = capsys.readouterr().out
    for name in ("edge-proxy.toml", "scanner.toml", "policy.toml", "rulebook.toml"):
        assert f"# ---- {name}\n" in printed
    assert "# line 1: mode netfilter\n#     edge-proxy.toml: destination.mode\n" in printed


def test_files_are_written_and_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = _file(tmp_path, _ALL), tmp_path / "new" / "folder"
    assert import_legacy(_asked(file, out)) == 0
    written = {path.name: path.read_text() for path in out.iterdir()}
    assert set(written) == {
        "edge-proxy.toml", "scanner.toml", "policy.toml", "rulebook.toml", REPORT
    }  # fmt: skip
    parse(written["rulebook.toml"])
    assert tomllib.loads(written["policy.toml"])["rulebook"]["file"] == str(out / "rulebook.toml")
    (out / "edge-proxy.toml").unlink()
    assert import_legacy(_asked(file, out)) == 2
    assert not (out / "edge-proxy.toml").exists()
    assert "is there already; nothing was written" in capsys.readouterr().err


def test_what_is_missing_shows_in_the_exit_code_and_the_account(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, _ALL + "regex_reject_helo (\n")
    assert import_legacy(_asked(file)) == EXIT_NOT_ALL
    assert "#     NOT CARRIED OVER: '(' is not a pattern" in capsys.readouterr().out


def test_a_file_that_cannot_be_translated_is_told_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _file(tmp_path, "mode pf\nport 0\n")
    assert import_legacy(_asked(file)) == 2
    assert capsys.readouterr() == (
        "",
        f"{file}: line 2: port 0: should be a port from 1 to 65535\n",
    )


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [(None, "No such file"), (b"#" * 1_100_000, "not a configuration"), (b"\xff\0", "no such")],
)
def test_what_is_no_configuration_is_told(
    tmp_path: Path, octets: bytes | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "nothing" if octets is None else _file(tmp_path, octets)
    assert import_legacy(_asked(file)) == 2
    assert sentence in capsys.readouterr().err


def test_it_is_a_verb_that_needs_no_configuration_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["edge-proxy", LEGACY_VERB.name, str(_file(tmp_path, _ALL))])
    assert main() == 0
