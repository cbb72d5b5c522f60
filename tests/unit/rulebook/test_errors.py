from rulebook.errors import RulebookError


def test_a_rulebook_error_is_about_a_value() -> None:
    assert issubclass(RulebookError, ValueError)
