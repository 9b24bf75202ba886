"""Who may ask the studio what: one guard before every route, closed unless a route is marked."""

from pellucid.studio.security.guard import Guard
from pellucid.studio.security.marks import public, takes_upload

__all__ = ["Guard", "public", "takes_upload"]
