"""Judges: pure functions from observations and dated facts to identity, findings and verdict."""
