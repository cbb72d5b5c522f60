"""``python -m lab run``: a farm in the foreground, for real use, until Ctrl-C.

Exit codes: 0 stopped as asked; 1 a part of the farm ended by itself; 2 what was asked for
cannot be, one sentence on stderr says why and nothing was started.
"""

import contextlib
import os
import signal
from collections.abc import Iterable

from lab.farm import Farm
from lab.farm_plan import FarmPlan
from lab.progress import progress_line
from lab.run_plan import asked, check_machine
from lab.workplace import ROOT, TOKEN_FILE, workplace


def run() -> None:
    """All of it; returns when it was asked to stop and every process is gone."""
    # SIGTERM and a closed terminal stop the farm as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    plan = asked(os.environ, ROOT / "run", TOKEN_FILE)
    check_machine(plan)
    with contextlib.suppress(KeyboardInterrupt), workplace("run"):
        _serve(plan)


def _serve(plan: FarmPlan) -> None:
    with progress_line() as progress, Farm(plan, progress) as farm:
        progress("")
        print("\n".join(_where(plan, farm)), flush=True)
        try:
            farm.watch()
        finally:
            print("stopping", flush=True)


def _where(plan: FarmPlan, farm: Farm) -> Iterable[str]:
    engines = [f"clamd at {plan.clamd}"] if plan.clamd else []
    engines += [f"spamd at {plan.spamd}"] if plan.spamd else []
    state = "your Redis" if plan.redis_url else "embedded Valkey, gone when it stops"
    goes_to = plan.upstream or "wherever each client was going"
    yield "SMTP-Gated is up."
    yield f"  edge         {', '.join(map(str, farm.edge_addresses))}, to {goes_to}"
    yield f"  engines      {', '.join([*engines, 'embedded rules'])}"
    yield f"  state in     {state}; verdicts, too"
    yield f"  status page  http://{farm.admin_address}/"
    yield f"  admin token  {farm.admin_token} (kept in {plan.token_file})"
    yield f"  logs         {plan.directory}/*.log"
    yield "Ctrl-C stops it."
