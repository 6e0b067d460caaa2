-- name: tile
-- A full tile, once it is built.
SELECT hashes
  FROM ledger.tile
 WHERE book = %(book)s AND level = %(level)s AND number = %(number)s;

-- name: roots
-- The hashes of a level above the leaves: the roots of the full tiles below.
SELECT number, root
  FROM ledger.tile
 WHERE book = %(book)s AND level = %(level)s AND number BETWEEN %(first)s AND %(last)s
 ORDER BY number;

-- name: leaves
-- Leaf hashes as they were stored with their events, for the end of the tree.
SELECT first_position, last_position, hashes
  FROM ledger.leaves
 WHERE book = %(book)s AND last_position >= %(first)s AND first_position <= %(last)s
   AND last_position < %(last)s + 10000
 ORDER BY last_position
 LIMIT %(chunks_max)s;

-- name: build_tiles
-- The next full tiles, from the leaf hashes; the function is in migrations/0020_checkpoints.sql.
SELECT ledger.build_tiles(%(book)s, %(tiles_max)s);
