"""Checks of an installation, for `python -m fer_web doctor`: versions, files, ports, the database.

Only commands imports this package.
It may import every package below the commands, but `installation.py` needs Python's own library alone.
"""
