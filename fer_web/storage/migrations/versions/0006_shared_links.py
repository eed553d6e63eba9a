"""What several processes share of links and visitors."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward only: there is no way back."""
    op.add_column("links", sa.Column("link", sa.Text))
    op.create_table(
        "removed_visitors",
        sa.Column("visitor", sa.String(64), primary_key=True),
        sa.Column("removed_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_removed_visitors_removed_ms", "removed_visitors", ["removed_ms"])
