"""Training: batches, random changes, the optimizer, teachers, and what happens after each epoch.

Only train/__main__.py, export and benchmarks import it.
It may import data, metrics, networks and runs.
"""
