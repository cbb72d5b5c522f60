"""A set of subjects that knows which of them a session is touched by.

A source lies in many prefixes, so they are looked for by the lengths in use: the cost grows with
the number of different lengths, not with the number of subjects.
"""

from collections import Counter
from collections.abc import Iterator

from edge_proxy.subjects import length_of, subjects_of
from rulebook.bearers import prefix_of
from smtpgated_contracts.values.mail import SessionRef


class SubjectSet:
    __slots__ = ("_lengths", "_subjects")

    def __init__(self) -> None:
        self._subjects: set[str] = set()
        self._lengths: Counter[tuple[int, int]] = Counter()

    def __len__(self) -> int:
        return len(self._subjects)

    def __iter__(self) -> Iterator[str]:
        return iter(self._subjects)

    def add(self, subject: str) -> None:
        if subject in self._subjects:
            return
        self._subjects.add(subject)
        length = length_of(subject)
        if length is not None:
            self._lengths[length] += 1

    def discard(self, subject: str) -> None:
        if subject not in self._subjects:
            return
        self._subjects.discard(subject)
        length = length_of(subject)
        if length is not None:
            self._lengths[length] -= 1
            self._lengths += Counter()  # lengths nobody uses any more are forgotten

    def touching(self, session: SessionRef, auth_user: bytes = b"") -> list[str]:
        """Its address, its names and every prefix round it, as far as they are in the set."""
        address = session.source.address
        version = 6 if ":" in address else 4
        prefixes = [prefix_of(address, bits) for family, bits in self._lengths if family == version]
        return [
            each for each in (*subjects_of(session, auth_user), *prefixes) if each in self._subjects
        ]
