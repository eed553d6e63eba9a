"""A trained network becomes the model folder that ships: formats, parity, calibration, card.

Train/__main__.py and benchmarks import it.
It may import every other package of train but fit, and labels, errors, metrics, vision and inference
of fer_web.
"""
