"""The inventory: devices, sweeps, what was observed and judged, what the gate decided, and a log of events."""

from camvet.inventory.gate_store import (
    AttachmentRow,
    AttachmentState,
    AttestationRow,
    CameraEvent,
    GateStore,
    MetricRow,
    WaiverRow,
)
from camvet.inventory.store import DeviceRow, Inventory, StoredDevice, SweepRecord, SweepRow
from camvet.inventory.tables import InventoryError

__all__ = [
    "AttachmentRow", "AttachmentState", "AttestationRow", "CameraEvent", "DeviceRow", "GateStore", "Inventory",
    "InventoryError", "MetricRow", "StoredDevice", "SweepRecord", "SweepRow", "WaiverRow",
]
