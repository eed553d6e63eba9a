"""The benchmarks measure speed and accuracy: python -m benchmarks.NAME --help.

Nothing but tests imports this package.
It may import fer_web, train and tests.support.
"""
