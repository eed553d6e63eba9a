"""Build the optimizer: SGD or Adam with one warm-up, one cosine and averaged weights."""

import keras

from train.config import FitConfig


def build_optimizer(config: FitConfig, *, steps: int) -> keras.optimizers.Optimizer:
    """Build it for `steps` steps in all; the decay of weights leaves out biases and normalisation."""
    warmup = max(1, round(steps * config.warmup_share))
    schedule = keras.optimizers.schedules.CosineDecay(
        config.peak_learning_rate / 25,
        decay_steps=max(1, steps - warmup),
        alpha=config.last_rate_share,
        warmup_target=config.peak_learning_rate,
        warmup_steps=warmup,
    )
    common = {
        "learning_rate": schedule,
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
