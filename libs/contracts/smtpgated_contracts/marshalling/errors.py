"""The one error of this package."""


class MalformedMessage(ValueError):  # noqa: N818 - named for what the peer sent
    """A wire message lacks what its contract demands; says which field."""
