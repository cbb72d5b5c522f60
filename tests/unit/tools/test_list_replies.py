from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal
from tools.list_replies import PAGE, main, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python tools/list_replies.py --write"
    assert main(["--check"]) == 0


def test_every_reply_is_listed_once() -> None:
    listed = page()
    for name, value in vars(refusals).items():
        if isinstance(value, Refusal):
            assert listed.count(f"`{name}` |") == 1, name


def test_replies_stand_under_the_moment_they_are_said() -> None:
    greeting, _, rest = page().partition("## In the dialogue")
    assert "`LOCKED`" in greeting
    assert "`UNKNOWN_COMMAND`" in rest
