"""`witness serve`: the small server that internal and external audit each run on a machine of their own. Knows no database."""

import signal
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from api.command.books import print_line
from api.command.options import WrongUse
from api.command.printing import say
from ledger.proof.note import NoteMalformed, VerifierKey
from ledger.proof.witness import REQUEST_BYTES_MAX, TEXT_TYPE, Said, Witness

witness_app = typer.Typer(help="Watch other people's books: a witness 见证.", no_args_is_help=True)

READ_SECONDS_MAX = 15


@witness_app.command("serve")
def serve(
    folder: Annotated[Path, typer.Option("--folder", metavar="DIR", help="Of the witness's key and what it has seen.")],
    name: Annotated[str, typer.Option("--name", help="Of this witness, such as audit.bank.example/w1; for ever.")],
    log: Annotated[
        list[str],
        typer.Option("--log", metavar="KEY", help="The verifier key of a book to watch; several times for several."),
    ],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8_700,
    host: Annotated[
        str, typer.Option(help="The address to listen on; a proxy with TLS stands before it.")
    ] = "127.0.0.1",
) -> None:
    """Cosign checkpoints (C2SP tlog-witness, POST /add-checkpoint) that continue what was seen, and refuse all others.

    Prints the witness's verifier key: the ledger's owner lists it in LEDGER_WITNESSES, and whoever checks a bundle
    gives it with --witness.
    """
    try:
        witness = Witness(folder, name, [VerifierKey.read(each) for each in log], time.time)
    except NoteMalformed as malformed:
        raise WrongUse(str(malformed)) from None
    served = server(witness, host, port)
    print_line(str(witness.verifier))
    say(f"the witness {name} listens on http://{host}:{served.server_address[1]}; stop with Ctrl-C")

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with served:
        served.serve_forever()


def server(witness: Witness, host: str, port: int) -> ThreadingHTTPServer:
    """A server that is bound and not serving yet."""

    class Handler(BaseHTTPRequestHandler):
        """One request: a POST to /add-checkpoint, or a GET of / for the key."""

        timeout = READ_SECONDS_MAX
        protocol_version = "HTTP/1.1"
        server_version = "witness"
        sys_version = ""

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > REQUEST_BYTES_MAX:
                self.close_connection = True
                self._answer(Said(413, TEXT_TYPE, b"send at most 64 KiB, with their Content-Length\n"))
                return
            body = self.rfile.read(int(length))
            known = self.path == "/add-checkpoint"
            self._answer(witness.add_checkpoint(body) if known else Said(404, TEXT_TYPE, b"POST /add-checkpoint\n"))

        def do_GET(self) -> None:
            self._answer(Said(200, TEXT_TYPE, f"{witness.verifier}\n".encode()))

        def _answer(self, said: Said) -> None:
            self.send_response(said.status)
            self.send_header("Content-Type", said.content_type)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            """Says nothing: what was cosigned lies in the folder."""

    return ThreadingHTTPServer((host, port), Handler)
