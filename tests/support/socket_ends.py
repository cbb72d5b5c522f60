"""An accepted socket whose options a test has chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.arrivals import LocalEnd


@dataclass(frozen=True, slots=True)
class OptionedEnd(LocalEnd):
    """``options``: by level and number; what is not there is ENOENT, as of conntrack."""

    options: Mapping[tuple[int, int], bytes] = field(default_factory=dict)

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes:
        try:
            return self.options[level, option][:length]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory") from None
