"""Catalogues: what databases say of themselves, one file for each product."""
