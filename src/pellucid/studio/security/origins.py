"""Which hosts and which pages a request may come from."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def allowed_hosts(bound: str, more: Iterable[str] = ()) -> frozenset[str]:
    """Host names that requests may be addressed to, without ports.

    A page elsewhere can point a name of its own at this machine; its requests carry that name.
    """
    names = {*LOOPBACK, *more}
    if not is_loopback(bound):
        names |= _own_names() if bound in ("0.0.0.0", "::", "") else {bound}  # noqa: S104
    return frozenset(name.lower() for name in names)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to `host`."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """The name in a Host header, without port and brackets; "" for one that is malformed."""
    if header.startswith("["):
        name, bracket, port = header[1:].partition("]")
        port = port.removeprefix(":")
    else:
        name, _, port = header.partition(":")
        bracket = "]"
    return name.lower() if bracket and (not port or port.isdigit()) else ""


def origin_problem(method: str, path: str, headers: Mapping[str, str]) -> str:
    """Why a request must come from another page than the studio's own; "" if it need not.

    Browsers say where a request comes from in Origin and in Sec-Fetch-Site. Other programs send
    neither, and carry their token as Bearer; a cookie alone does not let them write.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    own = headers.get("host", "")
    if origin is not None and origin.lower() not in (
        f"http://{own}".lower(),
        f"https://{own}".lower(),
    ):
        return f"it comes from {origin[:100]}"
    if site in ("cross-site", "same-site"):
        visits = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
        if not visits or path.startswith("/api"):
            return "it comes from a page of another site"
    writes, told = method not in SAFE_METHODS, origin is not None or site == "same-origin"
    if writes and not told and not headers.get("authorization"):
        return "it does not tell which page it comes from"
    return ""


def _own_names() -> set[str]:
    """Name and addresses of this machine, as far as they are known."""
    name = socket.gethostname()
    try:
        found = socket.getaddrinfo(name, None)
    except OSError:
        found = []
    return {name, *(str(address[0]) for *_, address in found)}
