// Drives Emmett's PostgreSQL event store: one event a call, each call in a stream of its own.
import { randomUUID } from 'node:crypto';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const given = JSON.parse(process.argv[2]);
const host = encodeURIComponent(given.host);
const store = getPostgreSQLEventStore(`postgresql://${given.user}@${host}:${given.port}/${given.dbname}`);
await store.schema?.migrate?.();
const content = 'a'.repeat(given.bytes - 20);
const began = performance.now();
const until = began + given.seconds * 1000;
let done = 0;
const call = async () => {
  while (performance.now() < until) {
    await store.appendToStream(`complaint-${randomUUID()}`, [{ type: 'ContactNoted', data: { content } }], {
      expectedStreamVersion: 0n,
    });
    done += 1;
  }
};
await Promise.all(Array.from({ length: given.callers }, call));
console.log(JSON.stringify({ events_per_second: (done * 1000) / (performance.now() - began) }));
await store.close();
process.exit(0);
