"""Attempts: details submitted and judged, reviewed, rested on, revoked."""
