"""From a trained network to the model folder that ships: file formats, parity, calibration, the model card.

Only train/__main__.py and benchmarks import it.
It may import every other package of train.
"""
