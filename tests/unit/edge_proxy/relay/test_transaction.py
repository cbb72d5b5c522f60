from edge_proxy.relay.transaction import Transaction


def test_transactions_do_not_share_their_recipients() -> None:
    Transaction().recipients.append(b"a@b")
    assert Transaction().recipients == []
