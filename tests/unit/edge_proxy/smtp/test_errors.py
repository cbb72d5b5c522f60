from edge_proxy.smtp.errors import Violation, ViolationKind


def test_a_violation_says_what_it_is_and_keeps_the_kind() -> None:
    violation = Violation(ViolationKind.LINE_TOO_LONG)
    assert violation.kind is ViolationKind.LINE_TOO_LONG
    assert str(violation) == "line too long"
