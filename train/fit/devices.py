"""Choose the devices that a run computes on, by Keras's own distribution API."""

import contextlib
from collections.abc import Callable, Iterator

import keras

from fer_web.errors import SettingsError


def leave_gpus_to_backend() -> None:
    """Keep TensorFlow, which prepares the batches, off the GPUs when another backend trains.

    It would take all of their memory. Without effect once TensorFlow has computed something.
    """
    if keras.config.backend() == "tensorflow":
        return
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.set_visible_devices([], "GPU")


@contextlib.contextmanager
def all_devices(batch_size: int, say: Callable[[str], None]) -> Iterator[None]:
    """Split every batch of a with block evenly over all devices and add up the gradients.

    With one device nothing changes, and `say` tells so.

    Raises: SettingsError: several devices and a backend or batch size that cannot be distributed.
    """
    devices = list_devices()
    if len(devices) < 2:
        say("one device: nothing to distribute")
        yield
        return
    _check_distributable(len(devices), batch_size)
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    say(f"every batch is distributed over {len(devices)} devices: {', '.join(devices)}")
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)


def list_devices() -> list[str]:
    """Return the names of the devices that the backend computes on, such as "gpu:0"."""
    if keras.config.backend() == "torch":
        import torch

        count = torch.cuda.device_count()
        return [f"cuda:{i}" for i in range(count)] or ["cpu:0"]
    return list(keras.distribution.list_devices())


def _check_distributable(count: int, batch_size: int) -> None:
    backend = keras.config.backend()
    if backend != "jax":
        raise SettingsError(
            f"Keras distributes with the backend jax, not with {backend}, and there are {count} devices. Set "
            "KERAS_BACKEND=jax, or leave out --distribute to train on one"
        )
    if batch_size % count:
        raise SettingsError(
            f"batch_size must be a multiple of the {count} devices to distribute, not {batch_size}. Change "
            "it, or leave out --distribute"
        )
