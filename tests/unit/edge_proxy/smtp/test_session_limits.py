import pytest

from edge_proxy.smtp.session_limits import lowered

OURS = {b"MAILMAX": 10, b"RCPTMAX": 50}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"LIMITS", b"LIMITS MAILMAX=10 RCPTMAX=50"),
        (b"LIMITS MAILMAX=9 RCPTMAX=51", b"LIMITS MAILMAX=9 RCPTMAX=50"),
        (b"limits rcptmax=51 MAILMAX=10", b"limits rcptmax=50 MAILMAX=10"),
        (b"LIMITS RCPTMAX=1 RCPTMAX=99 MAILMAX=1", b"LIMITS RCPTMAX=1 RCPTMAX=99 MAILMAX=1"),
        (b"LIMITS MAILMAX=x", b"LIMITS MAILMAX=x MAILMAX=10 RCPTMAX=50"),
    ],
)
def test_each_number_is_the_smaller_one(line: bytes, told: bytes) -> None:
    assert lowered(line, OURS) == told
