"""Which subjects of a set touch a session."""

from edge_proxy.subject_set import SubjectSet
from tests.support.samples import session_ref


def set_of(*subjects: str) -> SubjectSet:
    made = SubjectSet()
    for each in subjects:
        made.add(each)
    return made


def test_a_session_is_touched_by_its_address_its_identity_and_prefixes_round_it() -> None:
    touching = ("address:192.0.2.1", "identity:joe", "prefix:192.0.2.0/24", "prefix:0.0.0.0/0")
    found = set_of(
        *touching, "address:192.0.2.2", "prefix:192.0.3.0/24", "identity:ann", "auth:joe"
    )
    assert sorted(found.touching(session_ref("192.0.2.1", "joe"))) == sorted(touching)


def test_prefixes_of_the_other_family_touch_nobody() -> None:
    assert set_of("prefix:::/0").touching(session_ref("192.0.2.1")) == []
    assert set_of("prefix:0.0.0.0/0").touching(session_ref("2001:db8::1")) == []


def test_a_subject_is_held_once_and_gone_at_once() -> None:
    subjects = set_of("prefix:192.0.2.0/24", "prefix:192.0.2.0/24", "prefix:203.0.113.0/24")
    assert len(subjects) == 2
    subjects.discard("prefix:192.0.2.0/24")
    subjects.discard("prefix:192.0.2.0/24")
    assert list(subjects) == ["prefix:203.0.113.0/24"]
    assert subjects.touching(session_ref("192.0.2.1")) == []
    assert subjects.touching(session_ref("203.0.113.1")) == ["prefix:203.0.113.0/24"]
