"""Keras models are built here: ours, well-known small ones, and pretrained backbones.

Runs, fit, evaluation and export import it.
It may import train.config and labels and errors of fer_web.
"""
