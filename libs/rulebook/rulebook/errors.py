"""The one error of this package."""


class RulebookError(ValueError):
    """A document is not a rulebook; its text names the place, the value and what would be right."""
