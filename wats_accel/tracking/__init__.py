"""Tracking: what statements read and change while the application runs, and which answers that concerns."""
