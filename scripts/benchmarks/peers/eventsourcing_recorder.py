"""Drives the `eventsourcing` library's own PostgreSQL recorder: one event a call, each call in a stream of its own."""

import json
import sys
import threading
import time
from uuid import uuid4

from eventsourcing.persistence import InfrastructureFactory, StoredEvent
from eventsourcing.utils import Environment

given = json.loads(sys.argv[1])
factory = InfrastructureFactory.construct(
    Environment(
        name="bench",
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": given["dbname"],
            "POSTGRES_HOST": given["host"],
            "POSTGRES_PORT": given["port"],
            "POSTGRES_USER": given["user"],
            "POSTGRES_PASSWORD": "not asked for",
            "POSTGRES_POOL_SIZE": str(given["callers"]),
            "POSTGRES_MAX_OVERFLOW": "8",
            "POSTGRES_ENABLE_DB_FUNCTIONS": "y" if given["mode"] == "functions" else "n",
        },
    )
)
recorder = factory.application_recorder()
state = b"a" * given["bytes"]
done = [0] * given["callers"]
began = time.perf_counter()
until = began + given["seconds"]


def call(number: int) -> None:
    while time.perf_counter() < until:
        recorder.insert_events([StoredEvent(uuid4(), 1, "contact-noted", state)])
        done[number] += 1


threads = [threading.Thread(target=call, args=(number,)) for number in range(given["callers"])]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"events_per_second": sum(done) / (time.perf_counter() - began)}))
factory.close()
