from pathlib import Path

import pytest

from fer_web.errors import SettingsError
from train.config import CONFIG_DIR, FORMER_NAMES, FitConfig, from_dict, load_config, with_present_names


@pytest.mark.parametrize("path", sorted(CONFIG_DIR.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_config_loads_under_its_own_name(path: Path) -> None:
    config = load_config(path.stem)

    assert config.network.name == path.stem
    assert "Command: python -m train fit" in path.read_text()


@pytest.mark.parametrize(("former", "name"), FORMER_NAMES.items())
def test_load_config_by_a_former_name_is_the_same(former: str, name: str) -> None:
    assert load_config(former) == load_config(name)
    assert not (CONFIG_DIR / f"{former}.toml").exists()


def test_with_present_names_renames_runs_and_nothing_else() -> None:
    options = {
        "network": {"name": "flagship5"},
        "start_from": "runs/flagship3",
        "teachers": ["models/flagship", "elsewhere/runs/flagship", "runs/flagship4"],
    }

    renamed = with_present_names(options)

    assert renamed["network"]["name"] == "shipped_3_self_taught"
    assert renamed["start_from"] == "runs/shipped_2_deeper"
    assert renamed["teachers"] == ["models/flagship", "elsewhere/runs/shipped_1_scratch", "runs/flagship4"]
    assert options["network"]["name"] == "flagship5"


def test_to_dict_round_trip_is_equal(tiny_config: FitConfig) -> None:
    assert from_dict(tiny_config.to_dict()) == tiny_config


def test_load_config_override_replaces_file_and_none_does_not() -> None:
    config = load_config("flagship", epochs=2, seed=None)

    assert config.epochs == 2
    assert config.seed == load_config("flagship").seed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epoch": 3}, "unknown run option 'epoch'; allowed: .*epochs"),
        ({"network": {"width": 3}}, "unknown network option 'width'"),
        ({"augment": {"erase_pixels": 60}}, "erase_pixels must be 0 to 48, not 60"),
        ({"image_sides": [[0.5, 32], [0.4, 48]]}, "image_sides must be pairs"),
        ({"image_sides": [[0.5, 48], [0.5, 32]]}, "image_sides must be pairs"),
        ({"image_sides": [[0.5, 8], [0.5, 48]]}, "image_sides must be pairs"),
        ({"image_sides": [0.5, 48]}, "image_sides must be pairs"),
        (
            {"image_sides": [[0.5, 32], [0.5, 48]], "network": {"architecture": "baseline"}},
            "image_sides must be empty for this architecture",
        ),
        ({"augment": {"blur_share": 1.5}}, "blur_share must be 0 to 1, not 1.5"),
        ({"augment": {"dark_gamma": 0.5}}, "dark_gamma must be 1 to 10"),
        ({"mixup_alpha": -1}, "mixup_alpha must be 0 or more"),
        ({"ferplus_balance": 2}, "ferplus_balance must be 0 to 1"),
        ({"last_rate_share": 1.5}, "last_rate_share must be 0 to 1"),
        ({"optimizer": "rmsprop"}, "optimizer must be sgd or adam, not 'rmsprop'"),
        ({"optimizer": "adam"}, "peak_learning_rate must be at most 0.02 with Adam, not 0.1"),
        ({"class_weights": "some"}, "class_weights must be none, balanced or 0 to 1, not 'some'"),
        ({"class_weights": 1.5}, "class_weights must be none, balanced or 0 to 1"),
        ({"early_stopping_epochs": -1}, "early_stopping_epochs must be 0 or more"),
        ({"teachers": "runs/a"}, "teachers must be a list of paths, not 'runs/a'"),
        ({"teachers": [1]}, "teachers must be a list of paths"),
        ({"distill_weight": 2}, "distill_weight must be 0 to 1"),
        ({"statistics_on": "some"}, "statistics_on must be augmented or unchanged"),
        ({"distill_on": "images"}, "distill_on must be batches or rows"),
        ({"distill_temperature": 0}, "distill_temperature must be above 0"),
        ({"network": {"backbone": "alexnet"}}, "backbone must be efficientnetb0 or "),
        ({"network": {"backbone_side": 300}}, "backbone_side must be 48 to 224"),
        ({"network": {"pretrained_weights": 1}}, "pretrained_weights must be text, not 1"),
        ({"network": {"name": "../shipped"}}, "name must be letters, digits"),
        ({"network": {"stem_filters": [8, 0]}}, "stem_filters must be two channel counts above 0"),
        ({"network": {"stem_filters": 8}}, "stem_filters must be two channel counts"),
        ({"network": {"blocks": [[64, 1.5]]}}, "blocks must be pairs"),
        ({"network": {"blocks": [64]}}, "blocks must be pairs"),
        ({"network": "flagship"}, r"network must be a table \[network\] of options, not 'flagship'"),
        ({"epochs": 0}, "epochs must be 1 or more, not 0"),
        ({"epochs": "many"}, "epochs must be a whole number, not 'many'"),
        ({"batch_size": 12.5}, "batch_size must be a whole number, not 12.5"),
        ({"epochs": True}, "epochs must be a whole number, not True"),
        ({"drop_leaks": "no"}, "drop_leaks must be true or false, not 'no'"),
        ({"momentum": False}, "momentum must be a finite number"),
        ({"peak_learning_rate": float("inf")}, "peak_learning_rate must be a finite number"),
        ({"image_sides": 48}, "wrong type"),
        ({"seed": -1}, "seed must be 0 to 2147483647, not -1"),
        ({"seed": 2**40}, "seed must be 0 to 2147483647"),
        ({"dtype_policy": "float8"}, "dtype_policy must be float32 or mixed_bfloat16"),
        ({"network": {"architecture": "resnet"}}, "architecture must be residual or baseline or "),
        ({"network": {"dropout": 1.0}}, "dropout must be 0 to below 1"),
        ({"network": {"blocks": [[64]]}}, "blocks must be pairs"),
    ],
)
def test_from_dict_bad_option_names_it(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        from_dict(options)


@pytest.mark.parametrize(("given", "balance"), [("none", 0), (0, 0), ("balanced", 1), (1, 1), (0.5, 0.5)])
def test_label_balance_names_are_numbers(given: object, balance: float) -> None:
    assert from_dict({"class_weights": given}).label_balance == balance


def test_from_dict_run_without_newer_options_is_as_before() -> None:
    config = from_dict({})

    assert (config.optimizer, config.label_balance, config.early_stopping_epochs) == ("sgd", 0, 0)
    assert config.teachers == ()


def test_load_config_unknown_name_lists_known_ones() -> None:
    with pytest.raises(SettingsError, match="shipped_1_scratch"):
        load_config("no-such")


@pytest.mark.parametrize("content", [b"epochs = ", "epochs = 3".encode("utf-16")])
def test_load_config_broken_toml_names_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"broken\.toml is not TOML"):
        load_config(str(path))
