"""What a team would build instead: a table of complaints that is overwritten, and a trigger that writes an audit row."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

from place import Place
from psycopg2.extensions import connection as Connection

from projections import sla, worklist
from projections.machine import schema_of

TABLES = """
CREATE TABLE complaint (
    id uuid PRIMARY KEY, reference text, received_at timestamptz NOT NULL, received_by text, channel text, product text,
    category text, grade text, department text, handler text, content text, is_open boolean NOT NULL DEFAULT true,
    first_reply_due_at timestamptz, first_replied_at timestamptz, resolution_due_at timestamptz, replied_at timestamptz,
    is_void boolean NOT NULL DEFAULT false);
CREATE INDEX complaint_open ON complaint (resolution_due_at, id) WHERE is_open;
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, complaint_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT now(),
    who text NOT NULL DEFAULT current_user, what text NOT NULL, row jsonb NOT NULL);
CREATE INDEX audit_of ON audit (complaint_id, id);
CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit (complaint_id, what, row) VALUES (NEW.id, TG_OP, to_jsonb(NEW));
    RETURN NEW;
END
$$;
CREATE TRIGGER audited AFTER INSERT OR UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION audited();
"""

QUESTIONS = {
    "report": """
SELECT count(*) FILTER (WHERE first_replied_at <= first_reply_due_at),
       count(*) FILTER (WHERE coalesce(first_replied_at, %(now)s) > first_reply_due_at),
       count(*) FILTER (WHERE first_replied_at IS NULL AND first_reply_due_at >= %(now)s),
       count(*) FILTER (WHERE replied_at <= resolution_due_at),
       count(*) FILTER (WHERE coalesce(replied_at, %(now)s) > resolution_due_at),
       count(*) FILTER (WHERE replied_at IS NULL AND resolution_due_at >= %(now)s),
       count(*) FILTER (WHERE is_open AND replied_at IS NULL AND resolution_due_at < %(now)s),
       percentile_disc(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY first_replied_at - received_at),
       percentile_disc(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY replied_at - received_at)
  FROM complaint WHERE NOT is_void""",
    "worklist": """
SELECT id, reference, received_at, department, handler, category, product, channel, grade, resolution_due_at
  FROM complaint WHERE is_open ORDER BY resolution_due_at, id LIMIT %(rows_max)s""",
    "history": "SELECT id, at, who, what, row FROM audit WHERE complaint_id = %(complaint_id)s ORDER BY id",
}


@contextmanager
def filled(place: Place, book: str) -> Iterator[tuple[Connection, UUID]]:
    """The tables with the complaints of a book in them, an audit row an event; and one complaint of average length."""
    with place.peer_database("crud") as target, closing(place.connect(target["dbname"])) as connection:
        with connection.cursor() as cursor, closing(place.connect("ledger")) as ours, ours.cursor() as reading:
            cursor.execute(TABLES)
            cursor.execute("ALTER TABLE complaint DISABLE TRIGGER audited")
            reading.execute(
                _COMPLAINTS.format(
                    clock=schema_of(book, sla.PROJECTION.name), task=schema_of(book, worklist.PROJECTION.name)
                ),
                {"book": book},
            )
            for row in reading.fetchall():
                cursor.execute(
                    "INSERT INTO complaint (id, reference, received_at, channel, product, category, grade, department, handler, is_open,"
                    " first_reply_due_at, first_replied_at, resolution_due_at, replied_at, is_void)"
                    f" VALUES ({', '.join(['%s'] * 15)})", row,
                )  # fmt: skip
            reading.execute(_AUDIT, {"book": book})
            for row in reading.fetchall():
                cursor.execute("INSERT INTO audit (complaint_id, at, who, what, row) VALUES (%s, %s, %s, %s, %s)", row)
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SELECT complaint_id FROM audit GROUP BY 1 ORDER BY abs(count(*) - 13), 1 LIMIT 1")
            (shown,) = cursor.fetchone() or (None,)
        yield connection, UUID(str(shown))


_COMPLAINTS = """
SELECT f.complaint_id, s.reference, f.starts_at, s.channel, s.product, s.category, s.grade, s.department, s.handler,
       EXISTS (SELECT FROM "{task}".task AS t WHERE t.book = f.book AND t.complaint_id = f.complaint_id),
       f.due_at, f.stopped_at, r.due_at, r.stopped_at, f.ended = 'void'
  FROM "{clock}".clock AS f
  JOIN "{clock}".clock AS r USING (book, complaint_id, regime, run)
  JOIN "{clock}".complaint AS s USING (book, complaint_id)
 WHERE f.book = %(book)s AND f.regime = 'house' AND f.run = 1 AND f.clock = 'first-reply' AND r.clock = 'resolution'
   AND f.known_to IS NULL AND r.known_to IS NULL AND s.known_to IS NULL
"""

_AUDIT = """
SELECT stream_id, recorded_at, 'somebody', name, convert_from(state, 'UTF8')
  FROM ledger.event WHERE book = %(book)s ORDER BY position
"""
