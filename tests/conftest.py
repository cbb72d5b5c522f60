"""Hypothesis profiles: ``check`` for every run, ``nightly`` by HYPOTHESIS_PROFILE=nightly."""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

# Tests have gRPC's threads and start processes: with its handlers around fork the child aborts
# now and then, or the test hangs. All we do after a fork is exec, so they are not needed.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

settings.register_profile(
    "check",
    max_examples=150,
    stateful_step_count=40,
    deadline=None,  # the machine is shared: how long an example takes says nothing
    derandomize=True,  # a run is the same everywhere; chance is for the night
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    parent=settings.get_profile("check"),
    max_examples=20_000,
    derandomize=False,
)
PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", "check")
settings.load_profile(PROFILE)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """At night a single test may take longer than any other may by day."""
    if PROFILE == "nightly":
        config.option.timeout = 0
