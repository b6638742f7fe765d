"""All queries of the shop, by name."""

QUERIES = {
    "in_stock": "SELECT b.id, b.title, s.amount FROM books b JOIN stock s ON s.book_id = b.id",
    "offers": "SELECT id, title FROM books WHERE offer_ends > datetime('now')",
    "take": "UPDATE stock SET amount = amount - 1 WHERE book_id = ?",
    "customer": "SELECT id, name, email FROM customers WHERE email = ?",
    "login": "SELECT id, password_hash FROM customers WHERE email = ?",
    "rename": "UPDATE customers SET name = ? WHERE id = ?",
    "seen": "UPDATE customers SET last_seen = datetime('now') WHERE id = ?",
}
