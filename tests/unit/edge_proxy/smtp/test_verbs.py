from edge_proxy.smtp.verbs import FOREIGN_PROTOCOL, VERBS, Verb


def test_every_verb_but_other_can_be_looked_up_by_its_word() -> None:
    assert set(VERBS.values()) == set(Verb) - {Verb.OTHER}
    assert all(word == verb.value.encode() == word.upper() for word, verb in VERBS.items())


def test_first_words_of_http_are_known() -> None:
    assert {b"GET", b"POST", b"CONNECT", b"PRI"} <= FOREIGN_PROTOCOL
    assert all(word == word.upper() for word in FOREIGN_PROTOCOL)
