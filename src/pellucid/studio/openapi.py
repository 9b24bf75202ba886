"""The schema of the API, as the front end's types are made from it: python -m pellucid.studio.openapi."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from pellucid.studio.app import create_app
from pellucid.studio.state import Settings


def openapi() -> str:
    """The OpenAPI schema as JSON text. It is the same on every machine."""
    with tempfile.TemporaryDirectory() as folder:
        schema = create_app(Settings(workspace=Path(folder))).openapi()
    schema["info"]["version"] = "0"  # releases alone do not change the API
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi())
