"""Detectors: frames (or a camera's own metadata) in, `Detections` out."""
