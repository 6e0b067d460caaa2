-- name: append
-- One durable commit for all the requests of a call; the function is in migrations/0001_record.sql.
-- A stream's id is made into an object for each row, so it is given only where the caller does not have it.
SELECT request, outcome, CASE outcome WHEN 'stored' THEN NULL ELSE stream_id END AS stream_id, version,
       first_position, last_position, tree_size, root, recorded_at
  FROM ledger.append(
           %(book)s, %(now)s,
           %(principals)s, %(keys)s, %(fingerprints)s, %(streams)s, %(versions)s,
           %(applications)s, %(notifications)s,
           %(event_requests)s, %(event_streams)s, %(event_versions)s, %(event_names)s, %(event_lengths)s, %(event_states)s,
           %(disclosure_events)s, %(disclosure_digests)s, %(disclosure_subjects)s, %(disclosure_paths)s,
           %(disclosure_tiers)s, %(disclosure_lengths)s, %(disclosure_ciphertexts)s);

-- name: requests_under
-- The look before `decide`: what was answered under these keys, if anything.
SELECT key, fingerprint, stream_id, version, first_position, last_position, tree_size, root, recorded_at
  FROM ledger.requests_under(%(book)s, %(principal)s, %(keys)s);
