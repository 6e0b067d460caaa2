-- Mergings of customers, as the application reads them from the record (index `event_of_merging`, migrations/0056_erasure_due.sql).

-- name: mergings
-- A page of what was ever merged; whether it still is, the state of the customer says.
SELECT position, stream_id, version, name, state, recorded_at
  FROM ledger.event
 WHERE book = %(book)s AND position > %(after)s AND name = 'customer-merged'
 ORDER BY position
 LIMIT %(most)s;
