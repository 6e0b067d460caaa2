"""Posts one body over and over on so many kept-alive connections of the loopback, for a stated time; prints the figures."""

import asyncio
import json
import sys
import time

given = json.loads(sys.argv[1])


async def ask(until: float, taken: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", given["port"])
    body = json.dumps(given["body"]).encode()
    head = f"POST {given['path']} HTTP/1.1\r\nHost: 127.0.0.1:{given['port']}\r\nContent-Type: application/json\r\n"
    for name, value in given.get("headers", {}).items():
        head += f"{name}: {value}\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith((b"HTTP/1.1 201", b"HTTP/1.1 200")):
            raise SystemExit(f"not recorded: {answer[:200]!r}")
        (length,) = [int(line[16:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
        await reader.readexactly(length)
        taken.append(time.perf_counter() - began)
    writer.close()


async def main() -> None:
    taken: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(ask(began + given["seconds"], taken) for _ in range(given["connections"])))
    passed = time.perf_counter() - began
    taken.sort()
    print(
        json.dumps(
            {
                "per_second": len(taken) / passed,
                "p50_ms": taken[len(taken) // 2] * 1000,
                "p99_ms": taken[int(len(taken) * 0.99)] * 1000,
            }
        )
    )


asyncio.run(main())
