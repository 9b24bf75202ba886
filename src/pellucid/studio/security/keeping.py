"""A token that outlives the server, so that pages go on after a restart.

Each workspace and port has its own, made from one secret of this user. The secret is a file that
only the user can read, outside of any workspace: a workspace may be handed on.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
from pathlib import Path

SECRET_BYTES = 32


def lasting_token(workspace: Path, port: int) -> str:
    """The token of a studio; a new one each time where the secret cannot be kept."""
    secret = _secret(secret_file())
    place = f"{workspace}\0{port}".encode("utf-8", "surrogateescape")
    return hmac.new(secret, place, hashlib.sha256).hexdigest()


def secret_file() -> Path:
    """Where the secret lies: the platform's folder for what programs remember of a user."""
    if sys.platform == "win32":
        home = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "pellucid" / "studio-secret"


def _secret(path: Path) -> bytes:
    made = secrets.token_bytes(SECRET_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path) or made
        with os.fdopen(descriptor, "wb") as file:
            file.write(made)
    except OSError:
        return made
    return made


def _read(path: Path) -> bytes | None:
    """The secret in a file; None if others could have read it, or it is cut short."""
    content = path.read_bytes()
    is_private = sys.platform == "win32" or not path.stat().st_mode & 0o077
    return content if is_private and len(content) == SECRET_BYTES else None
