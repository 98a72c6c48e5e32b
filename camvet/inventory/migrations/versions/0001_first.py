"""The first schema: devices and aliases, sweeps, observations, attempts, judgements, the event log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("site", sa.String(120), nullable=False),
        sa.Column("first_seen", sa.String(30), nullable=False),
        sa.Column("last_seen", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
    )
    op.create_index("ix_device_site", "device", ["site"])
    op.create_table(
        "alias",
        sa.Column("device", sa.String(16), sa.ForeignKey("device.id", name="fk_alias_device"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("first_seen", sa.String(30), nullable=False),
        sa.Column("last_seen", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("device", "kind", "value", name="pk_alias"),
    )
    op.create_index("ix_alias_kind_value", "alias", ["kind", "value"])
    op.create_table(
        "sweep",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("site", sa.String(120), nullable=False),
        sa.Column("started", sa.String(30), nullable=False),
        sa.Column("finished", sa.String(30), nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("policy", sa.String(60), nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweep"),
    )
    op.create_index("ix_sweep_site", "sweep", ["site"])
    for name, number in (("observation", sa.Column("id", sa.String(16), nullable=False)),
                         ("attempt", sa.Column("number", sa.Integer, nullable=False))):
        op.create_table(
            name,
            sa.Column("sweep", sa.String(40), sa.ForeignKey("sweep.id", name=f"fk_{name}_sweep"), nullable=False),
            number,
            sa.Column("device", sa.String(16), sa.ForeignKey("device.id", name=f"fk_{name}_device"), nullable=True),
            sa.Column("key", sa.String(80), nullable=False),
            sa.Column("document", sa.JSON, nullable=False),
            sa.PrimaryKeyConstraint("sweep", number.name, name=f"pk_{name}"),
        )
        op.create_index(f"ix_{name}_device", name, ["device"])
    op.create_table(
        "judgement",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("sweep", sa.String(40), sa.ForeignKey("sweep.id", name="fk_judgement_sweep"), nullable=False),
        sa.Column("device", sa.String(16), sa.ForeignKey("device.id", name="fk_judgement_device"), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("policy", sa.String(60), nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("made", sa.String(30), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("identity", sa.JSON, nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_judgement"),
        sa.UniqueConstraint("sweep", "device", "key", "policy", "as_of", "made", name="uq_judgement_sweep"),
    )
    op.create_index("ix_judgement_sweep", "judgement", ["sweep"])
    op.create_index("ix_judgement_device", "judgement", ["device"])
    op.create_table(
        "event",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.String(30), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_event"),
    )
    op.create_index("ix_event_kind", "event", ["kind"])
    op.create_index("ix_event_subject", "event", ["subject"])
    if op.get_bind().dialect.name == "sqlite":
        # The chain proves tampering; the triggers stop the honest mistake.
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
                       "BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END")
