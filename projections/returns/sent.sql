-- What was sent to receivers outside.

-- name: tables
-- One row a submission, and one for each question that a receiver asked.
CREATE TABLE {schema}.submission (
    book text COLLATE "C" NOT NULL,
    submission_id uuid NOT NULL,
    return_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    receiver text COLLATE "C" NOT NULL,
    begins_on date NOT NULL,
    ends_on date NOT NULL,
    known_at bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    restates uuid,
    sent_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    position bigint NOT NULL,
    PRIMARY KEY (book, submission_id)
);
CREATE TABLE {schema}.question (
    book text COLLATE "C" NOT NULL,
    question_id uuid NOT NULL,
    submission_id uuid NOT NULL,
    question text COLLATE "C" NOT NULL,
    questioned_at timestamptz NOT NULL,
    answer text COLLATE "C",
    answered_at timestamptz,
    position bigint NOT NULL,
    PRIMARY KEY (book, question_id)
);

-- Each day that was set, by the position of its fact: of several of one return, the last counts.
CREATE TABLE {schema}.due (
    book text COLLATE "C" NOT NULL,
    return_id uuid NOT NULL,
    position bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    receiver text COLLATE "C" NOT NULL,
    begins_on date NOT NULL,
    ends_on date NOT NULL,
    due_on date NOT NULL,
    source text COLLATE "C" NOT NULL,
    PRIMARY KEY (book, return_id, position)
);

-- name: acknowledge
-- The receiver confirmed it.
UPDATE {schema}.submission AS s
   SET acknowledged_at = a.at::timestamptz
  FROM (VALUES %s) AS a (book, submission_id, at)
 WHERE s.book = a.book AND s.submission_id = a.submission_id::uuid;

-- name: answer
-- What the receiver asked was answered.
UPDATE {schema}.question AS q
   SET answer = a.answer, answered_at = a.at::timestamptz
  FROM (VALUES %s) AS a (book, question_id, answer, at)
 WHERE q.book = a.book AND q.question_id = a.question_id::uuid;

-- name: submissions
-- The latest first, with what restated each and what is still to be answered.
SELECT s.submission_id, s.return_id, s.name, s.receiver, s.begins_on, s.ends_on, s.known_at, s.digest, s.restates,
       (SELECT r.submission_id FROM {schema}.submission AS r WHERE r.book = s.book AND r.restates = s.submission_id) AS restated_by,
       s.sent_at, s.acknowledged_at,
       (SELECT count(*) FROM {schema}.question AS q
         WHERE q.book = s.book AND q.submission_id = s.submission_id AND q.answered_at IS NULL) AS questions_open,
       s.position
  FROM {schema}.submission AS s
 WHERE s.book = %(book)s AND s.position <= %(position)s AND (%(name)s::text IS NULL OR s.name = %(name)s)
   AND (%(receiver)s::text IS NULL OR s.receiver = %(receiver)s)
   AND (%(return_id)s::uuid IS NULL OR s.return_id = %(return_id)s::uuid)
   AND (%(before)s::uuid IS NULL
        OR s.position < (SELECT b.position FROM {schema}.submission AS b
                          WHERE b.book = %(book)s AND b.submission_id = %(before)s::uuid))
 ORDER BY s.position DESC
 LIMIT %(rows_max)s;

-- name: questions
-- What was asked about the submissions of one return, and what was answered, in the order in which it was asked.
SELECT q.question_id, q.submission_id, q.question, q.questioned_at, q.answer, q.answered_at, q.position
  FROM {schema}.question AS q
  JOIN {schema}.submission AS s ON s.book = q.book AND s.submission_id = q.submission_id
 WHERE q.book = %(book)s AND q.position <= %(position)s AND s.return_id = %(return_id)s::uuid
 ORDER BY q.position
 LIMIT %(rows_max)s;

-- name: due
-- The day that counts of each return that has one, of periods that end on a day or later.
SELECT DISTINCT ON (return_id) name, receiver, begins_on, ends_on, due_on, source, position
  FROM {schema}.due
 WHERE book = %(book)s AND position <= %(position)s AND ends_on >= %(ends_from)s
 ORDER BY return_id, position DESC
 LIMIT %(rows_max)s;
