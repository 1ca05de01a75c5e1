"""Passwords of addresses, in the forms in which other libraries quote them."""

import pytest

from rnnkit.runtime import secrets


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_remembered", set())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "API request to http://anna:secret@h:5/api failed",
            "API request to http://h:5/api failed",
        ),
        ("http://anna:p@ss@host/", "http://host/"),
        ("http://token@host/", "http://host/"),
        ("'postgresql+psycopg2://anna:s%2Fcret@h/d'", "'postgresql+psycopg2://h/d'"),
        ("mysql://h/d?ssl=1&sslPassword=secret", "mysql://h/d?ssl=1&sslPassword=***"),
        ("http://host/models/alias?name=a@champion", "http://host/models/alias?name=a@champion"),
        ("http://host/a@b", "http://host/a@b"),
        ("see http://host and mail@host", "see http://host and mail@host"),
    ],
)
def test_an_address_in_a_text_has_neither_user_nor_password(text: str, shown: str) -> None:
    assert secrets.without_secrets(text) == shown


@pytest.mark.parametrize(
    ("address", "text", "shown"),
    [
        ("http://anna:s%2Fcret@h/", "password s/cret is wrong", "password *** is wrong"),
        ("http://anna:s%2Fcret@h/", "dsn password=s%2Fcret host=h", "dsn password=*** host=h"),
        ("http://anna:p@ss@h/", "for anna with p@ss", "for anna with ***"),
        ("mysql://h/d?password=secret", "secret", "***"),
        ("http://a:it@h/", "it is not there", "it is not there"),
    ],
)
def test_a_remembered_password_is_hidden_wherever_it_stands(
    address: str, text: str, shown: str
) -> None:
    secrets.remember(address)
    assert secrets.without_secrets(text) == shown
