import pytest

from service_kit.config_sentences import is_secret, without_credentials


@pytest.mark.parametrize(
    "name", ["secret", "admin_token", "helper_secret", "redis_password", "password", "api_tokens"]
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["admin_token_file", "secretary", "tokens_per_s", "key_file"])
def test_other_names_are_not_secrets(name: str) -> None:
    assert not is_secret(name)


def test_only_what_stands_before_the_at_sign_is_taken_from_a_url() -> None:
    assert without_credentials("redis://u:p@h:1/0, a@b") == "redis://…@h:1/0, a@b"
    assert without_credentials("http://h/x@y") == "http://h/x@y"
