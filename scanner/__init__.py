"""Observes: the only floor that opens sockets to devices or reads packets. It knows no law and no reputation."""
