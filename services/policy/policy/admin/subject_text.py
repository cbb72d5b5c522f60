"""A subject as it came with a request."""

from policy.admin.problems import Problem
from policy.core.subjects import SubjectError, parse_subject


def read_subject(text: str) -> str:
    """Its one spelling. Raises Problem 422 with the sentence that says what would be right."""
    try:
        return str(parse_subject(text))
    except SubjectError as error:
        raise Problem(422, f"subject: {error}") from None
