"""grpc.aio hands on None where a peer's octets are no message at all."""

from typing import TypeVar

from google.protobuf.message import Message

from smtpgated_contracts.marshalling.errors import MalformedMessage

Parsed = TypeVar("Parsed", bound=Message)


def parsed(message: Parsed | None) -> Parsed:
    """What the peer said. Raises MalformedMessage when it does not parse."""
    if message is None:
        raise MalformedMessage("octets that are no message of the contract")
    return message
