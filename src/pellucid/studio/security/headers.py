"""Headers of every answer: what a page may load, and that nobody else may frame or read it."""

from __future__ import annotations

# Style attributes may come from the page's own templates; they load nothing and run nothing.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
UNLESS_SAID = {"cache-control": "no-store"}


def protected(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add what every answer must carry to its headers."""
    given = {name.lower() for name, _ in headers}
    kept = [
        (name, value) for name, value in headers if name.lower().decode("latin-1") not in ALWAYS
    ]
    more = [(n, v) for n, v in UNLESS_SAID.items() if n.encode() not in given]
    return [*kept, *((n.encode(), v.encode()) for n, v in [*ALWAYS.items(), *more])]
