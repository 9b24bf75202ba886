"""`pellucid studio`: everything in one place in the browser."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli import output
from pellucid.errors import SpecError

if TYPE_CHECKING:
    from pellucid.studio.state import Settings, Studio

PORT = 8686
LEAST_TOKEN = 16
MOST_JOBS = 64


def studio(
    workspace: Annotated[
        Path | None,
        typer.Argument(
            metavar="WORKSPACE",
            help="Folder of runs and results. By default $PELLUCID_WORKSPACE, else "
            "./pellucid-workspace.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Folder of pictures, or table, that may be used. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Also open catalogued runs and results below this folder. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="For looking only: compute and change nothing."),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_JOBS,
            metavar="N",
            help="How many jobs run at once; they share the cores, and each opens its own models.",
        ),
    ] = 1,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the browser.")
    ] = True,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port, or the next that is free.")
    ] = PORT,
    host: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Address to listen on. Others can reach any but this one."
        ),
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A further name that the studio is reached by, as behind a proxy. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    catalogue: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Catalogue that a team shares: postgresql+psycopg://USER@HOST/DATABASE. By default "
            "$PELLUCID_CATALOGUE, else a file in the workspace.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as JSON for machines.")
    ] = False,
) -> None:
    """Open the studio: models, data, training and reasons in one place in the browser.

    It prints an address that opens it once; after that the browser is remembered. With --read-only
    the address can be given to many readers. Ctrl-C ends the studio.
    $PELLUCID_STUDIO_TOKEN sets the token that programs send as 'Authorization: Bearer TOKEN'.

    Example: pellucid studio --data photos/
    """
    from pellucid.plugins import require

    for module in ("fastapi", "uvicorn", "python_multipart"):
        require(module, extra="studio", why="to run the studio")
    from pellucid.studio.security.keeping import lasting_token
    from pellucid.studio.security.origins import is_loopback
    from pellucid.studio.serve import bind, serve
    from pellucid.studio.state import Settings
    from pellucid.workspace.workspace import Workspace

    place = Workspace(workspace, catalogue=catalogue).path
    _check_folders(place, [*(data or []), *(also or [])])
    token = _given_token()
    listening = bind(host, port)
    taken = int(listening.getsockname()[1])
    settings = Settings(
        workspace=place,
        catalogue=catalogue,
        data=tuple(path.expanduser().resolve() for path in data or ()),
        also=tuple(also or ()),
        host=host,
        port=taken,
        allow_hosts=tuple(allow_host or ()),
        read_only=read_only,
        num_job_workers=jobs,
        token=token or lasting_token(place, taken),
    )
    if port and taken != port:
        output.note(f"port {port} is taken, so this studio is at {taken}")
    if not is_loopback(host):
        output.note(_exposed(settings), "warning")
    serve(settings, listening, lambda running: _announce(running, browser=browser, as_json=as_json))
    output.note("the studio has ended; runs and results are kept")


def _announce(studio: Studio, *, browser: bool, as_json: bool) -> None:
    """Print the address; the browser gets one of its own, so that both work."""
    settings = studio.settings
    if as_json:
        output.answer_json(
            {"url": address(studio), "port": settings.port, "workspace": studio.workspace.path}
        )
    else:
        output.answer(address(studio))
    output.note(
        f"workspace {studio.workspace.path}{', for looking only' if settings.read_only else ''}"
    )
    often = "as often as it is opened" if settings.read_only else "once"
    output.note(f"the address works {often}; Ctrl-C ends the studio")
    if browser:
        import threading
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(address(studio),), daemon=True).start()


def address(studio: Studio) -> str:
    """An address that opens the studio: once, or where it is for looking only, for many readers."""
    host = studio.settings.host
    name = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    shown = f"[{name}]" if ":" in name else name
    token = studio.access.new_login(once=not studio.settings.read_only)
    return f"http://{shown}:{studio.settings.port}/login?token={token}"


def _check_folders(workspace: Path, others: list[Path]) -> None:
    if workspace.is_file():
        raise SpecError(f"{workspace} is a file; expected the folder of a workspace.")
    for path in others:
        if not path.expanduser().exists():
            raise SpecError(f"{path} is not there. Check --data and --also.")


def _given_token() -> str:
    token = os.environ.get("PELLUCID_STUDIO_TOKEN", "")
    if token and (len(token) < LEAST_TOKEN or not token.isascii() or not token.isalnum()):
        raise SpecError(
            f"$PELLUCID_STUDIO_TOKEN is weak or cannot be sent; expected {LEAST_TOKEN} letters and "
            "digits or more, such as: python -c 'import secrets; print(secrets.token_hex())'"
        )
    return token


def _exposed(settings: Settings) -> str:
    may = "look at" if settings.read_only else "use, train in and upload to"
    return (
        f"the studio listens on {settings.host}, so others in the network reach it. Whoever has an "
        f"address or token can {may} it, and nothing on the way is encrypted. Prefer "
        "'ssh -L 8686:127.0.0.1:8686 MACHINE', or a proxy with TLS."
    )
