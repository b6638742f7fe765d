"""Aplicação WATS (exemplo)."""
