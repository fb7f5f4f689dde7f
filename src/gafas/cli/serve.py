"""``gafas serve``."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from gafas.cli import options
from gafas.errors import MissingExtraError, UsageError

_LOOPBACK = ("127.", "::1", "localhost")


def serve(
    model: options.Model = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on. The default is for this machine only; 0.0.0.0 is for all.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", min=0, max=65535, help="0 takes a free one.")] = 8000,
    region: options.Region = "auto",
    threshold: options.Threshold = None,
    precision: options.Precision = "auto",
    threads: Annotated[
        int, typer.Option("--threads", min=0, help="Images worked on at the same time; 0 takes all cores.")
    ] = 0,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            help="Processes, each with a model, a queue and a rate limit of its own; one that dies or hangs is "
            "replaced. One with several threads serves most machines best.",
        ),
    ] = 1,
    max_upload: Annotated[int, typer.Option(metavar="MB", min=1, help="Largest body of a request.")] = 32,
    max_image: Annotated[int, typer.Option(metavar="MB", min=1, help="Largest image, as it is sent.")] = 16,
    max_megapixels: Annotated[
        int, typer.Option(min=1, max=178, help="Largest image in millions of pixels; its header is looked at first.")
    ] = 50,
    max_files: Annotated[int, typer.Option(min=1, help="Images of one request.")] = 16,
    queue: Annotated[
        int, typer.Option(min=1, help="Images that wait or are worked on; beyond that the answer is 503.")
    ] = 64,
    timeout: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="For the body of a request, and again for the work on it.")
    ] = 30,
    rate: Annotated[
        int, typer.Option(min=0, help="Requests a minute from one address; beyond that the answer is 429. 0: no limit.")
    ] = 600,
    cors: Annotated[
        list[str] | None,
        typer.Option("--cors", metavar="ORIGIN", help="Let pages of this origin call, such as https://example.org."),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Reverse proxy whose X-Forwarded-For names the client's address."),
    ] = None,
) -> None:
    """Serve the model over HTTP, with a web page at / and the interface described at /openapi.json.

    Example: [bold]gafas serve[/bold], then open http://127.0.0.1:8000 in a browser, or

    [bold]curl -F files=@photo.jpg http://127.0.0.1:8000/v1/predict[/bold]

    Images stay in memory and are forgotten with the answer; nothing is written to disk, and no name is logged. With
    $GAFAS_API_KEY set, callers must send that key. Ctrl-C or SIGTERM ends it, after what was accepted.
    """
    try:
        from gafas.server import running
    except ImportError as error:
        raise MissingExtraError("gafas serve", "serve") from error
    from gafas.cli.console import note, warn
    from gafas.cli.finding import find_model
    from gafas.server.settings import MEGABYTE, Settings

    key = os.environ.get("GAFAS_API_KEY") or None
    settings = Settings(
        max_body=max_upload * MEGABYTE,
        max_image=max_image * MEGABYTE,
        max_pixels=max_megapixels * 1_000_000,
        max_files=max_files,
        queue=queue,
        memory=max(256, 2 * max_upload) * MEGABYTE,
        timeout=timeout,
        rate=rate,
        threads=threads or _cores(workers),
        api_key=key,
        cors=tuple(cors or ()),
    )
    found = find_model(model)
    if found.is_file():
        raise UsageError(f"{found}: serve takes a bundle or a run folder; make one with: gafas train")
    plan = running.Plan(found, settings, {"threshold": threshold, "region": region, "precision": precision})
    if key is None and not host.startswith(_LOOPBACK):
        warn(f"{host} can be reached from other machines, and anybody may call: set $GAFAS_API_KEY")
    with running.listen(host, port) as opened:
        where = f"http://{f'[{host}]' if ':' in host else host}:{opened.getsockname()[1]}"
        # The polite end of a server is a success.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        running.run(
            plan, opened, workers=workers, proxy=proxy, started=lambda: note(f"{found} at {where} (Ctrl-C ends it)")
        )


def _cores(workers: int) -> int:
    return max(1, (os.cpu_count() or 1) // workers)
