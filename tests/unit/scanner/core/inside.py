"""A budget that is enough for any test, and all parts of a content at once."""

from scanner.core.budget import Budget, Limits
from scanner.core.mime_parts import parts_of


def ample() -> Budget:
    return Budget(Limits(), lambda: False)


def all_parts(content: bytes, budget: Budget | None = None) -> list[bytes]:
    return list(parts_of(content, budget or ample()))
