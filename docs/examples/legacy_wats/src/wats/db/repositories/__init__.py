"""Um repositório por assunto."""
