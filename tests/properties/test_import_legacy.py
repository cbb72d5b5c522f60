"""Whatever stands in a smtp-gated.conf: it is translated into what our services take, or told."""

import tomllib
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.config import EdgeSettings
from edge_proxy.legacy.directives import DIRECTIVES
from edge_proxy.legacy.documents import documents, report
from edge_proxy.legacy.draft import File
from edge_proxy.legacy.syntax import LegacyError
from edge_proxy.legacy.translate import to_put_right, translate
from rulebook.document import parse
from scanner.config import ScannerSettings

_NUMBERS: Final = st.integers(-(2**40), 2**40).map(str) | st.sampled_from(
    ["0", "1", "-1", "010", "0x10", "10k", "65535", "4294967295", "2.5", "-7.25", "1e300", "nan"]
)
_WORDS: Final = st.sampled_from(
    ["yes", "no", "off", "clamd", "mksd", "spamassassin", "mandatory", "ifsupported", "virus, spam",
     "never", "antivir,antispam,regex", "accepted,base64", "/run/x", "/", "192.0.2.9",
     "192.0.2.9:783", "*", "local3", "cron", "err", "ip-only", "incoming", "^[", "a\x7f\"b\\",
     "outgoing", "fixed", "bl.example, other.example", r"(a)\1|\.x$", "(*UTF)x"]
)  # fmt: skip
_LINES: Final = st.builds(
    "{} {}".format, st.sampled_from(sorted(DIRECTIVES)), _NUMBERS | _WORDS | st.text(max_size=20)
)
_MODES: Final = st.sampled_from(
    ["fixed", "fixed+xclient", "remote", "remote-udp", "netfilter", "tproxy", "12", "pf", "ipfw"]
)


def _is_sound(line: str) -> bool:
    """Whether it would pass alone; so that files are whole more often than not."""
    try:
        translate(f"mode pf\n{line}")
    except LegacyError:
        return False
    return True


@given(_MODES, st.lists(_LINES.filter(_is_sound), max_size=12))
def test_a_sound_file_becomes_what_the_services_take(mode: str, lines: list[str]) -> None:
    text = "\n".join([*lines, f"mode {mode}", "fixed_server 198.51.100.25"])
    old, draft = translate(text)
    files = documents(draft)
    edge = tomllib.loads(files[File.EDGE])
    assert edge == draft.files[File.EDGE]
    parse(files[File.RULEBOOK])
    if File.SCANNER in files:
        ScannerSettings.model_validate(tomllib.loads(files[File.SCANNER]))
    edge.pop("events", None)  # the script is rarely there
    EdgeSettings.model_validate(edge)
    assert report(old, draft, to_put_right(draft)).replace("\n", "").isprintable()


@given(st.lists(_LINES | st.text(), max_size=12))
def test_any_other_is_told_line_by_line(lines: list[str]) -> None:
    problems = _problems("\n".join(lines))
    assert problems is None or problems
    assert all(each.isprintable() for each in problems or ())


def _problems(text: str) -> list[str] | None:
    try:
        translate(text)
    except LegacyError as told:
        return told.problems
    return None
