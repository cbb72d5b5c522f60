"""What a library raised, as the one error that adapters let out: Unavailable(service, kind).

    with translated("scanner"):
        verdict = await stub.Scan(request, timeout=left_s)

A table says what each error means and whether another try can help. What no table names is
not ours to explain: it passes unchanged, as a bug would. Cancellation always passes.
Redis errors are known by name, so that no service loads a library it does not use.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

import grpc
import grpc.aio

from service_kit.escaping import text_for_log


class FailureKind(Enum):
    """What went wrong, as far as the caller can tell."""

    UNREACHABLE = "nobody answers"
    TIMED_OUT = "no answer in time"
    OVERLOADED = "it has too much to do"
    DENIED = "we are not allowed to"
    REJECTED = "it does not accept what we sent"
    BROKEN = "it failed, or answered nonsense"
    CANCELLED = "it gave the call up"


class Meaning(NamedTuple):
    kind: FailureKind
    retryable: bool
    """Whether the same call, at another replica or a little later, may succeed."""


class Unavailable(Exception):  # noqa: N818 - named for the state of the service
    """A service we need did not do what we asked. ``detail`` is escaped, for logs only."""

    def __init__(
        self, service: str, kind: FailureKind, *, retryable: bool, detail: str = ""
    ) -> None:
        super().__init__(service, kind, retryable, detail)
        self.service: Final = service
        self.kind: Final = kind
        self.retryable: Final = retryable
        self.detail: Final = detail

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.service}: {self.kind.value}{detail}"


GRPC_MEANINGS: Final[Mapping[grpc.StatusCode, Meaning]] = MappingProxyType(
    {
        grpc.StatusCode.UNAVAILABLE: Meaning(FailureKind.UNREACHABLE, retryable=True),
        grpc.StatusCode.DEADLINE_EXCEEDED: Meaning(FailureKind.TIMED_OUT, retryable=False),
        grpc.StatusCode.RESOURCE_EXHAUSTED: Meaning(FailureKind.OVERLOADED, retryable=True),
        grpc.StatusCode.ABORTED: Meaning(FailureKind.BROKEN, retryable=True),
        grpc.StatusCode.CANCELLED: Meaning(FailureKind.CANCELLED, retryable=True),
        grpc.StatusCode.UNAUTHENTICATED: Meaning(FailureKind.DENIED, retryable=False),
        grpc.StatusCode.PERMISSION_DENIED: Meaning(FailureKind.DENIED, retryable=False),
        grpc.StatusCode.INVALID_ARGUMENT: Meaning(FailureKind.REJECTED, retryable=False),
        grpc.StatusCode.FAILED_PRECONDITION: Meaning(FailureKind.REJECTED, retryable=False),
        grpc.StatusCode.OUT_OF_RANGE: Meaning(FailureKind.REJECTED, retryable=False),
        grpc.StatusCode.NOT_FOUND: Meaning(FailureKind.REJECTED, retryable=False),
        grpc.StatusCode.ALREADY_EXISTS: Meaning(FailureKind.REJECTED, retryable=False),
        grpc.StatusCode.UNIMPLEMENTED: Meaning(FailureKind.REJECTED, retryable=False),
        grpc.StatusCode.INTERNAL: Meaning(FailureKind.BROKEN, retryable=False),
        grpc.StatusCode.UNKNOWN: Meaning(FailureKind.BROKEN, retryable=False),
        grpc.StatusCode.DATA_LOSS: Meaning(FailureKind.BROKEN, retryable=False),
    }
)

# By the name of the class, the most derived first: ``module.Class``, as far as it is known.
NAMED_MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType(
    {
        "redis.exceptions.BusyLoadingError": Meaning(FailureKind.OVERLOADED, retryable=True),
        "redis.exceptions.AuthenticationError": Meaning(FailureKind.DENIED, retryable=False),
        "redis.exceptions.NoPermissionError": Meaning(FailureKind.DENIED, retryable=False),
        "redis.exceptions.OutOfMemoryError": Meaning(FailureKind.OVERLOADED, retryable=False),
        "redis.exceptions.TimeoutError": Meaning(FailureKind.TIMED_OUT, retryable=True),
        "redis.exceptions.ConnectionError": Meaning(FailureKind.UNREACHABLE, retryable=True),
        "redis.exceptions.RedisError": Meaning(FailureKind.BROKEN, retryable=False),
        "builtins.TimeoutError": Meaning(FailureKind.TIMED_OUT, retryable=False),
        "builtins.PermissionError": Meaning(FailureKind.DENIED, retryable=False),
        "builtins.ConnectionError": Meaning(FailureKind.UNREACHABLE, retryable=True),
        "asyncio.exceptions.IncompleteReadError": Meaning(FailureKind.UNREACHABLE, retryable=True),
        "builtins.OSError": Meaning(FailureKind.UNREACHABLE, retryable=True),
    }
)


def unavailable(
    service: str, error: BaseException, named: Mapping[str, Meaning] = NAMED_MEANINGS
) -> Unavailable | None:
    """The translation; None for what the tables do not name. ``named`` may extend ours."""
    meaning, detail = _meaning(error, named), str(error)
    if isinstance(error, grpc.aio.AioRpcError):
        detail = error.details() or error.code().name
    if meaning is None:
        return None
    return Unavailable(
        service, meaning.kind, retryable=meaning.retryable, detail=text_for_log(detail)
    )


@contextmanager
def translated(service: str, named: Mapping[str, Meaning] = NAMED_MEANINGS) -> Iterator[None]:
    """Lets Unavailable out of its body where the tables know the error."""
    try:
        yield
    except Exception as error:  # re-raised unless a table names it
        translation = unavailable(service, error, named)
        if translation is None:
            raise
        raise translation from error


def _meaning(error: BaseException, named: Mapping[str, Meaning]) -> Meaning | None:
    if isinstance(error, grpc.aio.AioRpcError):
        return GRPC_MEANINGS[error.code()]
    for each in type(error).__mro__:
        meaning = named.get(f"{each.__module__}.{each.__qualname__}")
        if meaning is not None:
            return meaning
    return None
