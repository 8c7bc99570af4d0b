"""Every example of the manual runs: each page's Python prompts, in order, from the top of the checkout."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^(`{3,})python\n(.*?)^\1$", flags=re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(page):
    """Return the page's prompts, each fence on the line where it stands."""
    source = page.read_text(encoding="utf-8")
    kept = [""] * (source.count("\n") + 1)
    for fence in FENCE.finditer(source):
        first = source[: fence.start(2)].count("\n")
        for offset, line in enumerate(fence[2].splitlines()):
            kept[first + offset] = line
    return "\n".join(kept)


PAGES = [
    page for page in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))] if ">>>" in examples(page)
]


def test_there_are_examples():
    assert ROOT / "README.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_run(page, monkeypatch, tmp_path):
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(examples(page), {}, str(page.relative_to(ROOT)), str(page), 0)
    assert test.examples
    report = []
    results = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=report.append)
    assert results.attempted == len(test.examples)
    assert results.failed == 0, "".join(report)
