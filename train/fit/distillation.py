"""Learn from teachers (Hinton et al. 2015, "Distilling the knowledge in a neural network")."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from train.config import FitConfig
from train.fit.batches import TEACHER_IMAGES

Logits = dict[str, Any]


def with_teachers(model: keras.Model, teachers: Sequence[keras.Model], config: FitConfig) -> keras.Model:
    """Return the same network, with the same variables, whose loss includes the teachers."""
    student = _Student(model.input, model.output, name=model.name)

    def ask(images: Any) -> Logits:
        # A plain function: as attributes, Keras would count the teachers' weights among the
        # student's.
        answers = [teacher(images, training=False) for teacher in teachers]
        return {head: sum(each[head] for each in answers) / len(answers) for head in answers[0]}

    student.ask_teachers = ask
    student.distill_weight = config.distill_weight
    student.distill_temperature = config.distill_temperature
    student.ferplus_weight = config.ferplus_weight
    return student


class _Student(keras.Model):
    """It is a network with teachers; its targets hold TEACHER_IMAGES beside those of the two heads."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Weigh the loss on labels and votes against that on the teachers by distill_weight."""
        targets = dict(y)
        taught = self.ask_teachers(targets.pop(TEACHER_IMAGES))
        on_labels = super().compute_loss(x, targets, y_pred, sample_weight, training)
        distances = {
            head: mean_distance(taught[head], y_pred[head], self.distill_temperature) for head in taught
        }
        on_teachers = distances["original"] + self.ferplus_weight * distances["ferplus"]
        return (1.0 - self.distill_weight) * on_labels + self.distill_weight * on_teachers


def mean_distance(teacher: Any, student: Any, temperature: float) -> Any:
    """Return the mean Kullback-Leibler divergence of softened answers, times the temperature's
    square.

    The square keeps the gradients' size the same at all temperatures.

    Args: teacher, student: float32 logits (B, K).
    """
    wanted = ops.stop_gradient(ops.log_softmax(teacher / temperature))
    given = ops.log_softmax(student / temperature)
    divergence = ops.sum(ops.exp(wanted) * (wanted - given), axis=-1)
    return temperature**2 * ops.mean(divergence)
