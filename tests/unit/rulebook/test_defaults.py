from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.reading.conditions import CONDITIONS
from rulebook.values import Oversize, Stance, TlsTreatment


def test_the_default_document_explains_every_choice_it_makes() -> None:
    """It is the first thing an operator edits: each of these words must be in it."""
    for word in (*TlsTreatment, *Oversize, *Stance, "limit_octets", "lock_s", "sources"):
        assert word in DEFAULT_DOCUMENT, word


def test_the_default_document_uses_conditions_that_exist() -> None:
    used = [line for line in DEFAULT_DOCUMENT.splitlines() if line.startswith("when")]
    assert used
    assert all(any(key in line for key in CONDITIONS) for line in used)
