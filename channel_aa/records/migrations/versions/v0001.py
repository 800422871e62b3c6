"""Calls, their steps, and how far each run of the daemon is stored."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("began", sa.Double, nullable=False),
        sa.Column("caller", sa.Text, nullable=False),
        sa.Column("dialled", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("route", sa.Integer),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("adopted", sa.Integer, nullable=False),
        sa.Column("answered", sa.Double),
        sa.Column("seconds", sa.Double),
        sa.Column("spoken", sa.Double, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("ended", sa.Text, nullable=False),
        sa.Column("end_menu", sa.Text, nullable=False),
        sa.Column("end_menu_seconds", sa.Double),
        sa.Column("end_action", sa.Text, nullable=False),
        sa.Column("partner", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("state", sa.Text),
    )
    op.create_index("calls_began", "calls", ["began"])
    op.create_index("calls_caller", "calls", ["caller"])
    # Few calls are open; the others need no entry.
    is_open = sa.text("state IS NOT NULL")
    op.create_index(
        "calls_open",
        "calls",
        ["source"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "steps",
        sa.Column("call_id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("menu", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("seconds", sa.Double),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
    )
