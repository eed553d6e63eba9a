"""A network is trained here: batches, random changes, the optimizer, teachers, ends of epochs.

Only train/__main__.py imports it.
It may import train.config, data, metrics, networks and runs, and labels, errors and inference of
fer_web.
"""
