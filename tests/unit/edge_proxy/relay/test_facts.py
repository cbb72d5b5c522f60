from edge_proxy.relay.facts import SessionRecord
from smtpgated_contracts.values.policy import Disposition


def test_a_record_counts_messages_and_what_became_of_them() -> None:
    record = SessionRecord()
    for disposition in (Disposition.RELEASE, Disposition.REFUSE, Disposition.RELEASE):
        record.count_disposition(disposition)
    assert record.transactions == 3
    assert record.dispositions == {Disposition.RELEASE: 2, Disposition.REFUSE: 1}


def test_records_do_not_share_their_counts() -> None:
    SessionRecord().count_disposition(Disposition.DEFER)
    assert SessionRecord().dispositions == {}
