"""Tells: one Report value, many formats. It knows no database and opens no socket."""
