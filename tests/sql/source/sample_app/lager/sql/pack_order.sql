UPDATE orders SET packed_at = GETDATE(), packed_by = ? WHERE id = ?;
INSERT INTO parcels (order_id) VALUES (?);
