"""WATS: Windows Access To Servers."""
