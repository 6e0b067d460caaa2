-- name: one_at_a_time
-- Keeps two that open the same book at once apart; held until the commit.
SELECT pg_advisory_xact_lock(hashtext('ledger.create_book'));

-- name: origin_of
-- Whether the book is there.
SELECT origin
  FROM ledger.book
 WHERE book = %(book)s;

-- name: create_book
-- The book, its access and its empty head in one transaction.
SELECT ledger.create_book(%(book)s, %(origin)s, %(roles)s::name[]);

-- name: keys_of
-- Which key store the book was joined to.
SELECT keys_mark
  FROM ledger.book
 WHERE book = %(book)s;

-- name: claim_keys
-- The owner joins a book and its key store when they first meet; afterwards only says which store it is.
SELECT ledger.claim_keys(%(book)s, %(mark)s);

-- name: book_names
-- What there is to choose from.
SELECT book
  FROM ledger.book
 ORDER BY book
 LIMIT %(books_max)s;
