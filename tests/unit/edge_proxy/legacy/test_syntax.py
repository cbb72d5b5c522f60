import pytest

from edge_proxy.legacy.syntax import Directive, read


@pytest.mark.parametrize(
    ("line", "directive"),
    [
        ("port 25", Directive(1, "port", "25")),
        ("  port\t 25 \t", Directive(1, "port", "25")),
        ("port 25\r", Directive(1, "port", "25")),
        ('msg_hello "quotes are literal" # so is this', None),
        ("abuse", Directive(1, "abuse", "")),
        ("Port 25", Directive(1, "Port", "25")),
    ],
)
def test_a_line_is_a_name_and_a_value(line: str, directive: Directive | None) -> None:
    expected = directive or Directive(1, "msg_hello", '"quotes are literal" # so is this')
    assert read(line) == [expected]


@pytest.mark.parametrize("line", ["", "   ", "# port 25", " ; port 25", "\t#", "\r"])
def test_empty_lines_and_comments_say_nothing(line: str) -> None:
    assert read(line) == []


def test_lines_are_counted_and_kept_in_order() -> None:
    assert [(each.line, each.name) for each in read("\nport 1\n# x\nmode pf\nport 2")] == [
        (2, "port"),
        (4, "mode"),
        (5, "port"),
    ]
