import pytest

from fer_web.errors import SettingsError
from fer_web.settings import Settings, settings_from


def test_settings_without_arguments_are_the_defaults():
    assert settings_from([], {}) == Settings()


def test_command_line_wins_over_environment_and_environment_over_default():
    settings = settings_from(["--port", "6001"], {"FER_PORT": "6000", "FER_MAX_FACES": "3"})
    assert (settings.port, settings.max_faces) == (6001, 3)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FER_PORT": "http"}, ["FER_PORT", "'http'", "int"]),
        ({"FER_PORT": "70000"}, ["port", "70000", "65535"]),
        ({"FER_DETECTOR": "yolo"}, ["detector", "yolo", "blazeface", "haar"]),
        ({"FER_PROT": "1"}, ["FER_PROT", "FER_PORT"]),
        ({"FER_SMOOTHING_S": "nan"}, ["smoothing_s", "nan"]),
    ],
)
def test_bad_environment_names_variable_value_and_what_is_allowed(environment, words):
    with pytest.raises(SettingsError) as error:
        settings_from([], environment)
    assert all(word in str(error.value) for word in words)


def test_bad_argument_exits_with_the_reason(capsys):
    with pytest.raises(SystemExit):
        settings_from(["--max-clients", "0"], {})
    assert "allowed: 1 to 10000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("secret", "ab" * 32, ["ab" * 31, "xy" * 32, "ab" * 32 + "\n"]),
        ("host_token", "a-b_c" * 5, ["short", "a b" * 10, "x" * 201]),
    ],
)
def test_secrets_come_from_the_environment_alone_and_are_told_nowhere(name, right, wrong, capsys):
    variable = f"FER_{name.upper()}"
    settings = settings_from([], {variable: right})
    assert getattr(settings, name) == right
    assert right not in repr(settings)
    for value in wrong:
        with pytest.raises(SettingsError, match=f"{name} has {len(value)} characters") as caught:
            settings_from([], {variable: value})
        assert value not in str(caught.value)
    with pytest.raises(SystemExit):
        settings_from([f"--{name.replace('_', '-')}", right], {})
    capsys.readouterr()


def test_other_variables_are_left_alone():
    assert settings_from([], {"FERRY": "1", "PORT": "1"}) == Settings()


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False)])
def test_is_loopback(host, expected):
    assert Settings(host=host).is_loopback is expected


def test_password_of_the_database_is_in_no_output(capsys):
    settings = Settings(database_url="postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(settings)
    with pytest.raises(SystemExit):
        settings_from(["--help"], {"FER_DATABASE_URL": settings.database_url})
    assert "hunter2" not in capsys.readouterr().out
