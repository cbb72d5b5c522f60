"""The token file and the comparison."""

from pathlib import Path

import pytest

from policy.admin.tokens import Tokens, read_tokens
from service_kit.config import ConfigError

TOKEN = "0123456789abcdef-token"


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_tokens_are_lines_comments_and_empty_lines_are_not(tmp_path: Path) -> None:
    tokens = read_tokens(written(tmp_path, f"# ours\n\n{TOKEN}\n  second-{TOKEN}  \n"))
    assert tokens.know(TOKEN)
    assert tokens.know(f"second-{TOKEN}")
    for wrong in ("", "# ours", TOKEN[:-1], TOKEN + " ", TOKEN.upper(), "\udcff", "x" * 10**6):
        assert not tokens.know(wrong)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="chmod 600"):
        read_tokens(written(tmp_path, TOKEN, mode))


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "short\n", f"two {TOKEN}\n", "ż" * 20, "x" * 513, "\n\n"]
)
def test_a_file_without_a_usable_token_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_tokens(written(tmp_path, text))
    assert TOKEN not in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_tokens(tmp_path / "none")


def test_no_tokens_know_nobody() -> None:
    assert not Tokens([]).know("")
