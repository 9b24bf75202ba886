"""Processes that keep models warm: one task at a time, with progress, cancelled or replaced."""

from pellucid.studio.workers.lane import Lane
from pellucid.studio.workers.messages import Limits
from pellucid.studio.workers.ticket import TaskCancelled, Ticket
from pellucid.studio.workers.worker import Patience

__all__ = ["Lane", "Limits", "Patience", "TaskCancelled", "Ticket"]
