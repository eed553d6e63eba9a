"""A trained network becomes the model folder that ships: formats, parity, calibration, card.

Only train/__main__.py and benchmarks import it.
It may import every other package of train.
"""
