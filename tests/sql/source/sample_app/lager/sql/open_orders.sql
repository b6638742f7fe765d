-- The orders that nobody has packed; DELETE FROM nothing.
SELECT o.id, o.customer_id, c.name
FROM dbo.orders o
JOIN dbo.customers c ON c.id = o.customer_id
WHERE o.packed_at IS NULL
