"""What was measured, of each way at each number of sessions."""

import statistics
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Of one way at one number of sessions; each list has one entry a round."""

    messages_per_s: list[float] = field(default_factory=list)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)

    def speed(self) -> float:
        return statistics.median(self.messages_per_s)

    def cpu(self, name: str) -> float:
        return statistics.median(self.cpu_ms.get(name, [0.0]))

    def latency_ms(self, percent: int) -> float:
        return statistics.quantiles(self.latencies_ms, n=100)[percent - 1]


Table = dict[tuple[int, str], Figures]
"""By (sessions, way)."""
