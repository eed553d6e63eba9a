"""The folder of a training run: configuration, checkpoints, history, and the trained network in it.

Fit, evaluation and export import it.
It may import the networks and the data, and inference of fer_web.
"""
