import asyncio

import grpc
import pytest
import redis.exceptions
from grpc.aio import AioRpcError, Metadata

from service_kit.failures import (
    GRPC_MEANINGS,
    NAMED_MEANINGS,
    FailureKind,
    Meaning,
    Unavailable,
    translated,
    unavailable,
)


def _rpc_error(code: grpc.StatusCode, details: str = "") -> AioRpcError:
    return AioRpcError(code, Metadata(), Metadata(), details)


@pytest.mark.parametrize("code", [each for each in grpc.StatusCode if each.name != "OK"])
def test_every_grpc_status_has_a_meaning(code: grpc.StatusCode) -> None:
    found = unavailable("scanner", _rpc_error(code))
    assert found is not None
    assert Meaning(found.kind, found.retryable) == GRPC_MEANINGS[code]


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        (ConnectionRefusedError(111, "Connection refused"), FailureKind.UNREACHABLE, True),
        (FileNotFoundError(2, "No such file"), FailureKind.UNREACHABLE, True),
        (PermissionError(13, "Permission denied"), FailureKind.DENIED, False),
        (TimeoutError(), FailureKind.TIMED_OUT, False),
        (asyncio.IncompleteReadError(b"", 3), FailureKind.UNREACHABLE, True),
        (redis.exceptions.ConnectionError("gone"), FailureKind.UNREACHABLE, True),
        (redis.exceptions.BusyLoadingError("loading"), FailureKind.OVERLOADED, True),
        (redis.exceptions.AuthenticationError("no"), FailureKind.DENIED, False),
        (redis.exceptions.TimeoutError("slow"), FailureKind.TIMED_OUT, True),
        (redis.exceptions.OutOfMemoryError("full"), FailureKind.OVERLOADED, False),
        (redis.exceptions.ResponseError("ERR"), FailureKind.BROKEN, False),
    ],
)
def test_what_libraries_raise_has_a_kind(
    error: Exception, kind: FailureKind, *, retryable: bool
) -> None:
    with pytest.raises(Unavailable) as told, translated("redis"):
        raise error
    assert (told.value.service, told.value.kind, told.value.retryable) == ("redis", kind, retryable)
    assert told.value.__cause__ is error


def test_redis_names_of_the_table_are_real() -> None:
    for name in NAMED_MEANINGS:
        module, _, kind = name.rpartition(".")
        if module == "redis.exceptions":
            assert hasattr(redis.exceptions, kind)


def test_a_bug_passes_unchanged() -> None:
    with pytest.raises(KeyError), translated("scanner"):
        raise KeyError("x")


def test_cancellation_passes_unchanged() -> None:
    with pytest.raises(asyncio.CancelledError), translated("scanner"):
        raise asyncio.CancelledError


def test_what_is_translated_already_is_not_translated_again() -> None:
    with pytest.raises(Unavailable) as told, translated("outer"), translated("inner"):
        raise ConnectionResetError
    assert told.value.service == "inner"


def test_a_service_extends_the_table() -> None:
    class OddError(Exception):
        """A library's own."""

    name = f"{OddError.__module__}.{OddError.__qualname__}"
    named = {**NAMED_MEANINGS, name: Meaning(FailureKind.BROKEN, retryable=True)}
    with pytest.raises(Unavailable) as told, translated("odd", named):
        raise OddError
    assert told.value.kind is FailureKind.BROKEN


def test_the_detail_is_one_safe_line() -> None:
    found = unavailable("scanner", _rpc_error(grpc.StatusCode.INTERNAL, "a\r\nb\x1b[0m"))
    assert found is not None
    assert str(found) == r"scanner: it failed, or answered nonsense (a\x0d\x0ab\x1b[0m)"
