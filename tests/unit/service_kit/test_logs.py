import json
import logging
import subprocess
import sys
import warnings

import pytest

from service_kit.logs import LogSettings, configure, event

pytestmark = pytest.mark.usefixtures("root_logger_restored")

_LOG = logging.getLogger("unit.logs")


def _lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_an_event_is_one_line_whatever_the_stranger_sent(
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure(LogSettings(), "edge-proxy")
    event(_LOG, logging.INFO, "helo", helo=b'x"}\r\n{"level":"error"}\x1b[2J')
    (line,) = _lines(capfd)
    assert (line["service"], line["event"]) == ("edge-proxy", "helo")
    assert line["helo"] == r'x"}\x0d\x0a{"level":"error"}\x1b[2J'


def test_a_level_that_is_off_costs_no_rendering(capfd: pytest.CaptureFixture[str]) -> None:
    class Unshowable:
        def __str__(self) -> str:
            raise AssertionError("rendered")

    configure(LogSettings(level="warning"), "edge-proxy")
    event(_LOG, logging.INFO, "quiet", fact=Unshowable())
    event(_LOG, logging.WARNING, "loud")
    assert [line["event"] for line in _lines(capfd)] == ["loud"]


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.access", "grpc._cython.cygrpc", "redis"])
def test_libraries_take_the_same_way(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    library = logging.getLogger(name)
    own = logging.StreamHandler()
    library.addHandler(own)
    try:
        configure(LogSettings(), "policy")
        library.warning("gone:\n%s", "x")
        lines = _lines(capfd)
    finally:
        library.removeHandler(own)
    assert [(each["event"], each["logger"]) for each in lines] == [("library", name)] * len(lines)
    assert lines[-1]["text"] == r"gone:\x0ax"


def test_warnings_are_events(capfd: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(), "policy")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old way", UserWarning, stacklevel=1)
    (line,) = _lines(capfd)
    assert "old way" in str(line["text"])


def test_configuring_again_replaces_what_was(capfd: pytest.CaptureFixture[str]) -> None:
    configure(LogSettings(), "first")
    configure(LogSettings(format="text"), "second")
    event(_LOG, logging.INFO, "up", port=25)
    shown = capfd.readouterr().err
    assert shown.count("\n") == 1
    assert shown.endswith("info    second     up port=25\n")


def test_an_exception_nobody_caught_is_a_line_like_any_other() -> None:
    program = (
        "from service_kit.logs import LogSettings, configure\n"
        "configure(LogSettings(), 'edge-proxy')\n"
        "raise ValueError('unforeseen')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    (line,) = [json.loads(each) for each in ended.stderr.splitlines()]
    assert ended.returncode == 1
    assert line["level"] == "critical"
    assert line["error"] == ["ValueError: unforeseen"]
