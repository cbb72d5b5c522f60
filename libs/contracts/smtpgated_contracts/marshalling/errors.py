"""The one error of this package."""


class MalformedMessage(ValueError):
    """A wire message lacks what its contract demands; says which field."""
