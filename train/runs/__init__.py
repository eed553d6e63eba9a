"""A training run has a folder: configuration, checkpoints, history, and the trained network.

Fit, evaluation, export, train/__main__.py and benchmarks import it.
It may import train.config, data, metrics and networks, and errors and inference of fer_web.
"""
