"""Tokens: the one-time one in the address that is printed, and the one that a browser keeps."""

from __future__ import annotations

import hmac
import secrets
import threading
from http.cookies import CookieError, SimpleCookie

COOKIE_SECONDS = 30 * 24 * 3600
BEARER = "bearer"


class Access:
    """Checks tokens in constant time. `token` is the lasting one, `port` names the cookie.

    A browser keeps cookies by host and not by port: one name per port lets two studios live side
    by side.
    """

    def __init__(self, token: str, port: int) -> None:
        self._token = token
        self.cookie_name = f"pellucid-{port}"
        self._logins: dict[str, bool] = {}  # token, and whether it works once only
        self._lock = threading.Lock()

    def new_login(self, *, once: bool = True) -> str:
        """Make a token for an address that opens the studio: once, or until the studio ends."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._logins[token] = once
        return token

    def spend_login(self, given: str) -> bool:
        """Whether `given` opens the studio; most do so no second time."""
        with self._lock:
            found = [token for token in self._logins if _same(token, given)]
            for token in found:
                if self._logins[token]:
                    del self._logins[token]
        return bool(found)

    def admits(self, cookie: str, authorization: str) -> bool:
        """Whether a Cookie or an Authorization header carries the lasting token."""
        scheme, _, bearer = authorization.partition(" ")
        if scheme.lower() == BEARER and _same(self._token, bearer.strip()):
            return True
        return any(_same(self._token, value) for value in self._cookies(cookie))

    def set_cookie(self) -> str:
        """The Set-Cookie header that hands a browser the lasting token."""
        return (
            f"{self.cookie_name}={self._token}; Path=/; HttpOnly; SameSite=Strict; "
            f"Max-Age={COOKIE_SECONDS}"
        )

    def _cookies(self, header: str) -> list[str]:
        try:
            found = SimpleCookie(header).get(self.cookie_name)
        except CookieError:
            return []
        return [found.value] if found else []


def _same(token: str, given: str) -> bool:
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "surrogateescape"))
