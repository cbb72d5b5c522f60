from typing import get_args

from edge_proxy.relay import actions


def test_every_action_is_in_the_union() -> None:
    made_here = {
        value
        for value in vars(actions).values()
        if isinstance(value, type)
        and value.__module__ == actions.__name__
        and value is not actions.Loss
    }
    assert made_here == set(get_args(actions.Action))


def test_losses_can_be_told_to_a_person() -> None:
    assert all(loss.value.strip() for loss in actions.Loss)
