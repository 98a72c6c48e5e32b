"""Admits and monitors: the gate, and what is counted behind it."""
