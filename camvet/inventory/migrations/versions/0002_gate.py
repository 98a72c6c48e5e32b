"""The gate: attestations, waivers, attachments, and what comes of them: metrics and camera events."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _device(table: str) -> sa.Column[str]:
    return sa.Column("device", sa.String(16), sa.ForeignKey("device.id", name=f"fk_{table}_device"), nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("number", sa.Integer, nullable=False, autoincrement=True)


def upgrade() -> None:
    op.create_table(
        "attestation",
        sa.Column("id", sa.String(64), nullable=False),
        _device("attestation"),
        sa.Column("envelope", sa.Text, nullable=False),
        sa.Column("issued", sa.String(30), nullable=False),
        sa.Column("expires", sa.String(30), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("revoked_at", sa.String(30), nullable=True),
        sa.Column("revoked_by", sa.String(120), nullable=True),
        sa.Column("revoked_reason", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_attestation"),
    )
    op.create_index("ix_attestation_device", "attestation", ["device"])
    op.create_table(
        "waiver",
        _number(),
        _device("waiver"),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("made", sa.String(30), nullable=False),
        sa.Column("expires", sa.String(30), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_waiver"),
    )
    op.create_index("ix_waiver_device", "waiver", ["device"])
    op.create_table(
        "attachment",
        _device("attachment"),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("order", sa.JSON, nullable=False),
        sa.Column("attestation", sa.String(64),
                  sa.ForeignKey("attestation.id", name="fk_attachment_attestation"), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("since", sa.String(30), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("device", name="pk_attachment"),
    )
    op.create_table(
        "metric",
        _number(),
        _device("metric"),
        sa.Column("app", sa.String(60), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("unit", sa.String(30), nullable=False),
        sa.Column("start", sa.String(30), nullable=False),
        sa.Column("end", sa.String(30), nullable=False),
        sa.Column("quality", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_metric"),
    )
    op.create_index("ix_metric_device_end", "metric", ["device", "end"])
    op.create_table(
        "camera_event",
        _number(),
        _device("camera_event"),
        sa.Column("at", sa.String(30), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("rule", sa.String(80), nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_camera_event"),
    )
    op.create_index("ix_camera_event_device_at", "camera_event", ["device", "at"])
