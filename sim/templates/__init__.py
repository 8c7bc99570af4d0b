"""Scenario templates that ``sim new`` copies."""

from __future__ import annotations

from pathlib import Path

__all__ = ["template"]


def template(name: str = "three_moves") -> Path:
    """Return the path of a template shipped with the package.

    Examples
    --------
    >>> template().name
    'three_moves.toml'
    """
    return Path(__file__).with_name(f"{name}.toml")
