"""Messages are guessed from turns: a content is long and shortly answered, nothing else is."""

import pytest

from edge_proxy.smtp.tls_turns import CONTENT_OCTETS, Turns

HANDSHAKE = ((0, 786), (69, 250), (39, 170))
"""Turns of a TLS 1.3 session seen on the wire: certificate, Finished and EHLO."""
TRANSACTION = ((58, 31), (44, 31), (23, 54), (1006, 54))
PIPELINED = ((82, 82), (1008, 54))
QUIT = ((23, 32),)


def turns_of(*said: tuple[int, int]) -> Turns:
    turns = Turns()
    for client, server in said:
        if client:
            turns.client_said(client)
        turns.server_said(server)
    return turns


@pytest.mark.parametrize("count", [0, 1, 5, 50])
@pytest.mark.parametrize("transaction", [TRANSACTION, PIPELINED], ids=["by command", "in groups"])
def test_every_message_of_a_session_is_counted(
    transaction: tuple[tuple[int, int], ...], count: int
) -> None:
    assert turns_of(*HANDSHAKE, *transaction * count, *QUIT).messages == count


def test_a_content_in_many_slices_is_one_message() -> None:
    turns = turns_of(*HANDSHAKE)
    for _ in range(1000):
        turns.client_said(16_401)
    turns.server_said(54)
    assert turns.messages == 1


def test_an_answer_in_two_pieces_is_one_answer() -> None:
    turns = turns_of(*HANDSHAKE, (1006, 20))
    turns.server_said(30)
    assert turns.messages == 1


def test_a_content_counts_when_it_is_answered() -> None:
    turns = turns_of(*HANDSHAKE)
    turns.client_said(1_000_000)
    assert turns.messages == 0
    turns.server_said(54)
    assert turns.messages == 1


def test_a_content_whose_connection_is_lost_is_none() -> None:
    turns = turns_of(*HANDSHAKE, *TRANSACTION)
    turns.client_said(1_000_000)
    assert turns.messages == 1


def test_a_long_group_of_commands_is_no_message() -> None:
    recipients = 50
    group = (100 + 45 * recipients, 40 + 30 * recipients)
    assert turns_of(*HANDSHAKE, group, (1006, 54)).messages == 1


def test_the_shortest_content() -> None:
    assert turns_of((CONTENT_OCTETS, 50)).messages == 1
    assert turns_of((CONTENT_OCTETS - 1, 50)).messages == 0


def test_a_server_that_only_speaks_sends_no_messages() -> None:
    assert turns_of((0, 10_000), (0, 10_000)).messages == 0
