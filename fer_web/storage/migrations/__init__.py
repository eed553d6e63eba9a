"""Alembic's scripts, numbered and forward only.

Only storage/migrate.py runs them; nothing imports this package.
They may import SQLAlchemy and Alembic only, so that an old script never changes.
"""
