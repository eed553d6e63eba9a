"""Alembic's entry: runs the steps on the connection that fer_web.storage.migrate hands over."""

from alembic import context

from fer_web.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
