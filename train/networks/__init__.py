"""Keras models are built here: ours, well-known small ones, and pretrained backbones.

Runs, fit, evaluation, export and benchmarks import it.
It may import train.config, and labels and errors of fer_web.
"""
