"""SQL: which tables and columns a statement, a method or an application reads and writes."""
