"""The tables of the database, as the newest migration leaves them."""

from sqlalchemy import BigInteger, Column, Double, Integer, MetaData, Table, Text

REVISION = "0001"
"""The version of the schema."""

metadata = MetaData()

calls = Table(
    "calls",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("began", Double, nullable=False),
    Column("caller", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("route", Integer),
    Column("language", Text, nullable=False),
    Column("adopted", Integer, nullable=False),
    Column("answered", Double),
    Column("seconds", Double),
    Column("spoken", Double, nullable=False),
    Column("path", Text, nullable=False),
    Column("ended", Text, nullable=False),
    Column("end_menu", Text, nullable=False),
    Column("end_menu_seconds", Double),
    Column("end_action", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("state", Text),
)
"""A row for each call: the fields of `CallRecord`. ``state`` is the whole record in
JSON as long as the call goes on, for the next run of the daemon."""

steps = Table(
    "steps",
    metadata,
    Column("call_id", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("menu", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("seconds", Double),
    sqlite_with_rowid=False,
)
"""A row for each `Step`."""

runs = Table(
    "runs",
    metadata,
    Column("run", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("stored", BigInteger, nullable=False),
)
"""How far each run's events are stored: the number of the last one."""
