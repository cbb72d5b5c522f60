"""The REST API against its own specification: schemathesis asks what nobody thought of."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import pytest

from policy.admin import throttle
from tests.integration.policy.farm import TOKEN, Replica

EXAMPLES_A_ROUTE: Final = 6
PATIENCE_S: Final = 120
_RUN: Final = Path(sys.executable).with_name("schemathesis")


async def test_no_request_breaks_what_the_specification_promises(
    replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each route is asked with wrong tokens; none of them shall meet the throttle instead.
    monkeypatch.setattr(throttle, "MOST_FAILURES", 1_000_000)
    run = await asyncio.create_subprocess_exec(
        *(str(_RUN), "run", f"http://127.0.0.1:{replica.app.admin_port}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {TOKEN}"),
        *("--max-examples", str(EXAMPLES_A_ROUTE), "--phases", "examples,coverage,fuzzing"),
        *("--exclude-path-regex", "live|import"),
        # What a subject, a network or a rulebook is, no schema can say: 422 is right for those.
        *("--exclude-checks", "positive_data_acceptance"),
        *(
            "--seed",
            "1",
            "--generation-deterministic",
        ),
        *("--request-timeout", "20", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE_S):
        said, _ = await run.communicate()
    assert run.returncode == 0, said.decode(errors="replace")[-8000:]
