"""A progress bar on standard error."""

from __future__ import annotations

import sys
import time
from typing import Any

__all__ = ["Progress", "duration"]

PATIENCE = 2.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def duration(seconds: float) -> str:
    """Write a length of time.

    Examples
    --------
    >>> duration(0.25), duration(12.3), duration(200), duration(9000), duration(2e5)
    ('0.2 s', '12 s', '3 min', '2.5 h', '2.3 days')
    """
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < MINUTE / 6 else f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < DAY else f"{seconds / DAY:.1f} days"


class Progress:
    """A bar on standard error, with rate and time left, that appears only when work takes more than two seconds."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.bar: Any = None
        self.task: Any = None
        self.begun: float | None = None
        self.before = 0

    def __call__(self, done: int, total: int, nodes: int = 0) -> None:
        """Show how far the work is."""
        now = time.monotonic()
        if self.begun is None:
            self.begun, self.before = now, done
        if self.bar is None and now - self.begun > PATIENCE and done < total and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[pace]}"),
            )
            self.bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task(self.what, total=total, pace="")
            self.bar.start()
        if self.bar is not None:
            rate = (done - self.before) / max(now - self.begun, 1e-9)
            pace = f"{rate:,.0f}/s, {duration((total - done) / rate)} left" if rate > 0 else ""
            what = f"{self.what}{f', {nodes:,} nodes' if nodes else ''}"
            self.bar.update(self.task, completed=done, total=total, description=what, pace=pace)
            if done >= total:
                self.stop()

    def stop(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
