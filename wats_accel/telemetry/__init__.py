"""Telemetry: events become log lines, counters become statistics."""
