"""A training run has a folder: configuration, checkpoints, history, and the trained network.

Fit, evaluation and export import it.
It may import the networks and the data, and inference of fer_web.
"""
