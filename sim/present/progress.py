"""A progress bar on standard error."""

from __future__ import annotations

import sys
import time
from typing import Any

__all__ = ["Progress"]

PATIENCE = 2.0


class Progress:
    """A bar on standard error that appears only when work takes more than two seconds."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.bar: Any = None
        self.task: Any = None
        self.begun: float | None = None

    def __call__(self, done: int, total: int, nodes: int = 0) -> None:
        """Show how far the work is."""
        now = time.monotonic()
        self.begun = self.begun if self.begun is not None else now
        if self.bar is None and now - self.begun > PATIENCE and done < total and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress as Bar

            self.bar = Bar(console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task(self.what, total=total)
            self.bar.start()
        if self.bar is not None:
            self.bar.update(
                self.task,
                completed=done,
                total=total,
                description=f"{self.what}{f', {nodes:,} nodes' if nodes else ''}",
            )
            if done >= total:
                self.stop()

    def stop(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
