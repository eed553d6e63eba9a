"""The database: its schema, migrations, connections, and which process is alive.

History, sharing, doctor and factory import this package.
It may import settings, errors and labels only.
"""
