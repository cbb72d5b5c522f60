"""The words travel over real sockets; the loop is the product's."""

from tests.support.uvloop_only import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
