-- name: end_of_book
-- All in one statement, so of one moment: between two statements an append may come. Instants leave as the bytes that
-- are stored, because a changed one may lie outside what Python's datetime can hold.
SELECT b.origin, h.size, h.root, h.edge, timestamptz_send(h.recorded_at) AS recorded_at,
       (SELECT count(*) FROM ledger.head AS o WHERE o.book = b.book) AS heads,
       (SELECT min(e.position) FROM ledger.event AS e WHERE e.book = b.book) AS first_event,
       (SELECT max(e.position) FROM ledger.event AS e WHERE e.book = b.book) AS last_event,
       (SELECT max(l.last_position) FROM ledger.leaves AS l WHERE l.book = b.book) AS last_leaf
  FROM ledger.book AS b
  LEFT JOIN LATERAL (SELECT n.size, n.root, n.edge, n.recorded_at
                       FROM ledger.head AS n
                      WHERE n.book = b.book
                      ORDER BY n.size DESC
                      LIMIT 1) AS h ON true
 WHERE b.book = %(book)s;

-- name: opening
-- Of the book's row what no entry holds.
SELECT coalesce(b.created_at > (SELECT e.recorded_at
                                  FROM ledger.event AS e
                                 WHERE e.book = b.book
                                 ORDER BY e.position
                                 LIMIT 1), false) AS created_late,
       b.keys_mark
  FROM ledger.book AS b
 WHERE b.book = %(book)s;

-- name: next_position
-- Where the book goes on behind a position, holes stepped over.
SELECT min(position)
  FROM ledger.event
 WHERE book = %(book)s AND position > %(after)s;

-- name: tile
-- A stored tile, to be held against the leaf hashes; a tile that is not built yet is no loss.
SELECT hashes, root
  FROM ledger.tile
 WHERE book = %(book)s AND level = %(level)s AND number = %(number)s;

-- name: tiles_outside
-- Tiles of a tree that is larger than this one; one of each level is enough to know.
SELECT level, max(number)
  FROM ledger.tile
 WHERE book = %(book)s
 GROUP BY level
HAVING (max(number) + 1)::numeric * 256::numeric ^ (level + 1) > %(size)s;

-- name: stream_border
-- The stream that begins the next range.
SELECT stream_id
  FROM ledger.stream
 WHERE book = %(book)s AND stream_id >= %(start)s
 ORDER BY stream_id
OFFSET %(streams_max)s
 LIMIT 1;

-- name: streams
-- A page of streams of a range, of the heads and of the events alike: what is on one side only is in it too. One statement sees
-- head and events of a stream at one moment, however many appends go on.
SELECT i.stream_id, s.version, v.first_version, v.last_version, v.versions
  FROM (SELECT u.stream_id
          FROM ((SELECT a.stream_id
                   FROM ledger.stream AS a
                  WHERE a.book = %(book)s AND a.stream_id BETWEEN %(start)s AND %(last)s
                  ORDER BY a.stream_id
                  LIMIT %(streams_max)s)
                UNION
                (SELECT DISTINCT e.stream_id
                   FROM ledger.event AS e
                  WHERE e.book = %(book)s AND e.stream_id BETWEEN %(start)s AND %(last)s
                  ORDER BY e.stream_id
                  LIMIT %(streams_max)s)) AS u
         ORDER BY u.stream_id
         LIMIT %(streams_max)s) AS i
  LEFT JOIN ledger.stream AS s ON s.book = %(book)s AND s.stream_id = i.stream_id
  LEFT JOIN LATERAL (SELECT min(x.version) AS first_version, max(x.version) AS last_version, count(*) AS versions
                       FROM ledger.event AS x
                      WHERE x.book = %(book)s AND x.stream_id = i.stream_id) AS v ON true
 ORDER BY i.stream_id;
