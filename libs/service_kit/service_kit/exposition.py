"""The text that Prometheus reads, for one process or for all workers of a service.

Workers share numbers through files in PROMETHEUS_MULTIPROC_DIR (prometheus-client's own way):
who starts the workers empties the folder once, sets the variable in their environment, and
says when one has died, so that its gauges no longer count.
"""

import os
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4  # what every Prometheus reads
SHARED_FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def exposition() -> bytes:
    """Every metric now. With a shared folder: those in it; a supervisor that set the variable
    only for its workers has none of its own there."""
    folder = os.environ.get(SHARED_FOLDER_VARIABLE)
    if not folder:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # not annotated there
    return generate_latest(registry)


def empty_shared_folder(folder: Path) -> None:
    """Before the first worker: what an earlier run left would be added to ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink(missing_ok=True)


def worker_ended(folder: Path, pid: int) -> None:
    """Its gauges leave the sums; its counters stay."""
    multiprocess.mark_process_dead(pid, path=str(folder))  # type: ignore[no-untyped-call]  # not annotated there
