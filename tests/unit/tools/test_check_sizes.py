from pathlib import Path

import pytest

from tools import check_sizes


def test_a_file_above_the_limit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "libs" / "one" / "one"
    package.mkdir(parents=True)
    monkeypatch.setattr(check_sizes, "ROOT", tmp_path)
    (package / "fits.py").write_text("\n" * check_sizes.LIMIT)
    assert check_sizes.main() == 0
    (package / "large.py").write_text("\n" * (check_sizes.LIMIT + 1))
    assert check_sizes.main() == 1
    said = capsys.readouterr().out
    assert "libs/one/one/large.py" in said
    assert "fits.py" not in said
