"""A network is trained here: batches, random changes, the optimizer, teachers, ends of epochs.

Only train/__main__.py, export and benchmarks import it.
It may import data, metrics, networks and runs.
"""
