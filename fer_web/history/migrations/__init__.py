"""Steps from one version of the tables to the next; forward only. Alembic runs them at the start."""
