import keras
import pytest

from fer_web.errors import SettingsError
from train.fit.devices import all_devices, list_devices


def test_all_devices_one_device_says_so() -> None:
    lines: list[str] = []

    with all_devices(16, lines.append):
        assert keras.distribution.distribution() is None

    assert len(list_devices()) == 1
    assert lines == ["one device: nothing to distribute"]


@pytest.mark.parametrize(
    ("backend", "batch_size", "message"),
    [
        ("tensorflow", 16, "distributes with the backend jax, not with tensorflow, and there are 2 devices"),
        ("torch", 16, "not with torch"),
        ("jax", 15, "batch_size must be a multiple of the 2 devices to distribute, not 15"),
    ],
)
def test_all_devices_what_cannot_be_distributed_raises(
    backend: str, batch_size: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.fit.devices.list_devices", lambda: ["gpu:0", "gpu:1"])
    monkeypatch.setattr("keras.config.backend", lambda: backend)

    with pytest.raises(SettingsError, match=message), all_devices(batch_size, print):
        pass
