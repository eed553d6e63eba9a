"""Networks by name, as Keras models: ours, well-known small ones, and backbones with pretrained weights.

Runs, fit, evaluation and export import it.
It may import train.config and labels and errors of fer_web.
"""
