"""Tokens: which secret opens which, for how long; whose networks a tenant's covers."""

import pytest

from policy.core.subjects import SubjectError
from policy.core.tokens import Role, Tenancy, Token, TokenTable, check_token, digest_of

NOW = 1000


def token(token_id: str = "t1", secret: str = "secret", expires_at_ms: int = 0) -> Token:
    return Token(token_id, "anna", digest_of(secret), Role.VIEWER, expires_at_ms=expires_at_ms)


def test_a_secret_opens_its_own_token_alone() -> None:
    table = TokenTable([token("t1", "one"), token("t2", "two")])
    assert table.of_secret("two", NOW) == token("t2", "two")
    assert [table.of_secret(wrong, NOW) for wrong in ("", "tw", "two ", digest_of("two"))] == [
        None
    ] * 4


def test_a_token_that_is_over_or_removed_opens_nothing() -> None:
    table = TokenTable([token(expires_at_ms=NOW)])
    assert table.of_secret("secret", NOW - 1) is not None
    assert table.of_secret("secret", NOW) is None
    table.remove("t1")
    table.remove("t1")
    assert table.of_secret("secret", NOW - 1) is None
    assert len(table) == 0


def test_a_token_that_is_put_again_loses_its_old_secret() -> None:
    table = TokenTable([token("t1", "old")])
    table.put(token("t1", "new"))
    assert table.of_secret("old", NOW) is None
    assert table.of_secret("new", NOW) is not None


def test_what_is_longer_than_a_secret_is_none_of_ours() -> None:
    table = TokenTable([token("t1", "x" * 513)])
    assert table.of_secret("x" * 512, NOW) is None


@pytest.mark.parametrize(
    ("role", "needed", "may"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.OPERATOR, False),
        (Role.OPERATOR, Role.VIEWER, True),
        (Role.OPERATOR, Role.ADMIN, False),
        (Role.ADMIN, Role.ADMIN, True),
    ],
)
def test_each_role_may_what_those_before_it_may(role: Role, needed: Role, may: bool) -> None:
    assert role.may(needed) is may


@pytest.mark.parametrize(
    ("subject", "covered"),
    [
        ("address:192.0.2.1", True),
        ("address:192.0.3.1", False),
        ("prefix:192.0.2.128/25", True),
        ("prefix:192.0.2.0/24", True),
        ("prefix:192.0.0.0/16", False),
        ("address:2001:db8::1", True),
        ("prefix:2001::/16", False),
        ("identity:anna", False),
        ("auth:anna", False),
    ],
)
def test_a_tenant_sees_what_lies_wholly_in_his_networks(subject: str, covered: bool) -> None:
    assert Tenancy(("192.0.2.0/24", "2001:db8::/32")).covers(subject) is covered


def test_without_networks_everything_is_covered() -> None:
    assert Tenancy().covers("identity:anna")
    assert Tenancy().covers_address("192.0.2.1")


def test_a_record_with_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(SubjectError, match="is no network"):
        check_token(Token("t", "n", "d", Role.VIEWER, ("192.0.2.0/99",)))
