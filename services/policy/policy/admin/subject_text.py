"""A subject as it came with a request."""

from policy.admin.problems import Problem
from policy.core.subjects import Subject, SubjectError, parse_subject


def read_subject(text: str) -> Subject:
    """Raises Problem 422 with the sentence that says what would be right."""
    try:
        return parse_subject(text)
    except SubjectError as error:
        raise Problem(422, f"subject: {error}") from None
