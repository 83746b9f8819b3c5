"""Settings: every one documented, mistakes named, secrets kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from agents.commands.doctor import effective
from streams.kafka import client_config
from streams.settings import MOST_SECRET_BYTES, Settings, unknown_variables, variables_of
from tests.certificates import Authority

SECRET = "hunter2-s3cret"  # noqa: S105 - of nobody
SECRETS = [name for name, f in Settings.model_fields.items() if f.annotation is SecretStr]


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 10, name


def test_the_names_of_the_contract_are_there() -> None:
    names = {f"ASSAYER_{name.upper()}" for name in Settings.model_fields}
    assert names >= {
        "ASSAYER_KAFKA_BOOTSTRAP",
        "ASSAYER_KAFKA_SECURITY_PROTOCOL",
        "ASSAYER_SCHEMA_REGISTRY_URL",
        "ASSAYER_REDIS_URL",
        "ASSAYER_TOPIC_PREFIX",
        "ASSAYER_HTTP_HOST",
        "ASSAYER_HTTP_PORT",
        "ASSAYER_METRICS_HOST",
        "ASSAYER_METRICS_PORT",
        "ASSAYER_EVIDENCE_URL",
    }
    assert any(name.startswith("ASSAYER_KAFKA_SASL_") for name in names)
    assert any(name.startswith("ASSAYER_KAFKA_SSL_") for name in names)


def test_the_environment_goes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("ASSAYER_TOPIC_PREFIX=file.\nASSAYER_BATCH_RECORDS=7\n")
    monkeypatch.setenv("ASSAYER_TOPIC_PREFIX", "environment.")
    settings = Settings()
    assert settings.batch_records == 7
    assert settings.topic("marketplace.listings") == "environment.marketplace.listings"


def test_unknown_variables_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    before = unknown_variables()
    monkeypatch.setenv("ASSAYER_REDIS_URI", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("ASSAYER_REDIS_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.setenv("assayer_batch_records", "9")
    assert unknown_variables() == sorted({*before, "ASSAYER_REDIS_URI"})


def test_a_name_in_the_file_that_is_no_setting_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("ASSAYER_REDIS_URI=redis://127.0.0.1:6379/0\n")
    with pytest.raises(ValidationError, match="assayer_redis_uri"):
        Settings()


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_show_nowhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = f"redis://:{SECRET}@127.0.0.1/0" if name == "redis_url" else SECRET
    monkeypatch.setenv(f"ASSAYER_{name.upper()}", value)
    settings = Settings()
    assert getattr(settings, name).get_secret_value() == value
    shown = effective(settings)
    for text in (repr(settings), str(settings), str(shown), settings.model_dump_json()):
        assert SECRET not in text
    assert effective(settings)[f"ASSAYER_{name.upper()}"] == "********"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redis_url", f"http://:{SECRET}@127.0.0.1/0"),
        ("kafka_bootstrap", f"{SECRET}@somewhere"),
        ("kafka_bootstrap", ""),
        ("schema_registry_url", f"ftp://{SECRET}"),
        ("schema_registry_url", f"https://registry:{SECRET}@127.0.0.1:8081"),
        ("batch_records", "0"),
        ("kafka_bootstrap", "127.0.0.1:9092\n127.0.0.1:9093"),
        ("topic_prefix", "no spaces please"),
        ("topic_prefix", "line.\n"),
        ("metrics_port", "70000"),
        ("kafka_security_protocol", SECRET),
    ],
)
def test_a_bad_value_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({name: value})
    assert name in str(error.value)
    assert SECRET not in str(error.value)
    assert error.value.error_count() == 1


def test_credentials_reach_the_client_only_where_they_are_used(tmp_path: Path) -> None:
    password = SecretStr(SECRET)
    plain = Settings(kafka_sasl_password=password)
    assert SECRET not in str(client_config(plain))
    sasl = Settings(
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_username="assayer",
        kafka_sasl_password=password,
    )
    config = client_config(sasl)
    assert (config["sasl.username"], config["sasl.password"]) == ("assayer", SECRET)
    authority = Authority(tmp_path).path
    tls = Settings(kafka_security_protocol="SSL", kafka_ssl_ca_location=authority)
    assert client_config(tls)["ssl.ca.location"] == str(authority)
    assert "ssl.key.password" not in client_config(tls)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().topic_prefix = "other."


def test_another_process_can_be_led_to_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        kafka_sasl_password=SecretStr(SECRET), topic_prefix="t.", policy_file=Path("policy.yaml")
    )
    for name, value in variables_of(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_stand_in_a_file(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    value = f"redis://:{SECRET}@127.0.0.1/0" if name == "redis_url" else SECRET
    path = tmp_path / "secret"
    path.write_text(value + "\n")
    monkeypatch.setenv(f"ASSAYER_{name.upper()}_FILE", str(path))
    settings = Settings()
    assert getattr(settings, name).get_secret_value() == value
    assert SECRET not in str(variables_of(settings)), "another process is told of the file"
    for variable, told in variables_of(settings).items():
        monkeypatch.setenv(variable, told)
    assert Settings() == settings
    monkeypatch.setenv(f"ASSAYER_{name.upper()}", value)
    with pytest.raises(ValidationError, match="is given twice") as error:
        Settings()
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't be read from .*: No such file"),
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"x" * (MOST_SECRET_BYTES + 1), "more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_named(
    content: bytes | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValidationError, match=words) as error:
        Settings(redis_password_file=path)
    (problem,) = error.value.errors()
    assert problem["loc"] == ("redis_password",)
