"""Configuração da aplicação."""
