"""Editing: a configuration file is changed in one place, and everything else in it stays byte for byte."""
