"""The service that a team would build instead: one route, one INSERT, a trigger for the audit."""

import json
import sys
from datetime import datetime
from uuid import uuid4

import uvicorn
from fastapi import FastAPI
from psycopg2.extensions import make_dsn
from psycopg2.pool import ThreadedConnectionPool
from pydantic import BaseModel

target = json.loads(sys.argv[1])
port = int(sys.argv[sys.argv.index("--port") + 1])
pool = ThreadedConnectionPool(1, 64, make_dsn(**target))
app = FastAPI()


class Received(BaseModel):
    received_at: datetime
    received_by: str
    channel: str
    content: str
    product: str | None = None


@app.post("/complaints", status_code=201)
def receive(received: Received) -> dict[str, str]:
    complaint_id = str(uuid4())
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO complaint (id, received_at, received_by, channel, content, product) VALUES (%s, %s, %s, %s, %s, %s)",
                (
                    complaint_id,
                    received.received_at,
                    received.received_by,
                    received.channel,
                    received.content,
                    received.product,
                ),
            )
    finally:
        pool.putconn(connection)
    return {"id": complaint_id}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
