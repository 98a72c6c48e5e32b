"""The inventory: devices, sweeps, what was observed and judged, and an append-only log of events."""

from camvet.inventory.store import DeviceRow, Inventory, StoredDevice, SweepRecord, SweepRow
from camvet.inventory.tables import InventoryError

__all__ = ["DeviceRow", "Inventory", "InventoryError", "StoredDevice", "SweepRecord", "SweepRow"]
