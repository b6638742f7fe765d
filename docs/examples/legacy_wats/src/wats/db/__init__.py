"""Acesso ao banco de dados."""
