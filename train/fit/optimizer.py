"""Build the optimizer: SGD or Adam with one warm-up, one cosine and averaged weights."""

import math
from typing import Any

import keras
from keras import ops

from train.config import FitConfig


def build_optimizer(config: FitConfig, *, steps: int) -> keras.optimizers.Optimizer:
    """Build it for `steps` steps in all; the decay of weights leaves out biases and normalisation."""
    warmup = max(1, round(steps * config.warmup_share))
    common = {
        "learning_rate": WarmupAndCosine(
            config.peak_learning_rate, config.last_rate_share, warmup, max(1, steps - warmup)
        ),
        "weight_decay": config.weight_decay,
        "use_ema": True,
        "ema_momentum": config.ema_momentum,
    }
    if config.optimizer == "adam":
        optimizer = keras.optimizers.AdamW(beta_1=config.momentum, **common)
    else:
        optimizer = keras.optimizers.SGD(momentum=config.momentum, nesterov=True, **common)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class WarmupAndCosine(keras.optimizers.schedules.LearningRateSchedule):
    """It rises evenly to the peak, then falls by half a cosine (Loshchilov and Hutter 2017, "SGDR").

    As keras's CosineDecay, without its branch: Keras asks for the rate anew for each weight that decays,
    and to trace the branch each time took a fifth of the time to a run's first step.
    """

    def __init__(self, peak: float, last_share: float, warmup_steps: int, decay_steps: int) -> None:
        """Args: last_share: of the peak, at the end."""
        self._peak, self._last_share = peak, last_share
        self._warmup_steps, self._decay_steps = warmup_steps, decay_steps

    def __call__(self, step: Any) -> Any:
        """Return the rate of step `step`, counted from 0: a float32 scalar."""
        step = ops.cast(step, "float32")
        first = self._peak / 25
        rising = first + (self._peak - first) * ops.minimum(step / self._warmup_steps, 1.0)
        decayed = ops.clip((step - self._warmup_steps) / self._decay_steps, 0.0, 1.0)
        cosine = 0.5 + 0.5 * ops.cos(math.pi * decayed)
        return rising * (self._last_share + (1.0 - self._last_share) * cosine)
