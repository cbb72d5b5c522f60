import subprocess
import sys

_PROGRAM = """
import gc
from service_kit.collection import put_start_aside

class Knot:
    def __init__(self):
        self.self = self

put_start_aside()
assert gc.get_freeze_count() > 1000, "what was there is put aside"
import weakref
seen = weakref.ref(Knot())
gc.collect()
assert seen() is None, "what comes later is still collected"
"""


def test_what_was_there_is_put_aside_and_what_comes_later_is_collected() -> None:
    """In a process of its own: it would hold for all the other tests."""
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=60)
