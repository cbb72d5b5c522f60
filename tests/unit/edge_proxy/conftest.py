"""The product runs on uvloop, and so do its tests: the two loops differ in how links end."""

from tests.support.uvloop_only import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
