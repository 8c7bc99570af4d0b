"""Every example of the manual runs: each page's Python prompts and its console blocks, in order, from the top of the checkout."""

import doctest
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from sim.cli import main

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


PAGES_OF_TEXT = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES_OF_TEXT if ">>>" in examples(page)]


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


SAVED = re.compile(r"Save this as `([\w.]+)`.*?^```toml\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(\$ sim .*?)^```$", flags=re.MULTILINE | re.DOTALL)
SPOILT = re.compile(r"<!-- here (\S+) says `(.*?)` instead of `(.*?)` -->")


def change(name, old, new):
    """Replace a text in a file, and see that it was there."""
    whole = Path(name).read_text(encoding="utf-8")
    assert old in whole
    Path(name).write_text(whole.replace(old, new), encoding="utf-8")


def transcripts(page):
    """Return the page's console blocks in order, each as pairs of a command and what it prints."""
    source = page.read_text(encoding="utf-8")
    blocks = [(block.start(), block[1]) for block in CONSOLE.finditer(source)]
    return source, blocks


CONSOLES = [page for page in PAGES_OF_TEXT if transcripts(page)[1]]


def test_there_are_transcripts():
    assert ROOT / "docs" / "tutorial" / "index.md" in CONSOLES


@pytest.mark.parametrize("page", CONSOLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_transcripts_are_real(page, monkeypatch, tmp_path, capsys):
    """Every console block of the manual prints what the page shows; … stands for anything."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    monkeypatch.chdir(tmp_path)
    source, blocks = transcripts(page)
    renewed = source
    for place, block in blocks:
        for name, text in SAVED.findall(source[:place]):
            Path(name).write_text(text, encoding="utf-8")
        spoils = SPOILT.findall(source[:place].rpartition("```")[2])
        for name, wrong, right in spoils:
            change(name, right, wrong)
        found = ""
        for command in [line[2:] for line in block.splitlines() if line.startswith("$ ")]:
            monkeypatch.setattr(sys, "argv", shlex.split(command))
            with pytest.raises(SystemExit):
                main()
            out = capsys.readouterr()
            found += f"$ {command}\n{out.out}{out.err}"
        for name, wrong, right in spoils:
            change(name, wrong, right)
        if os.environ.get("UPDATE_TRANSCRIPTS") and "…" not in block:
            renewed = renewed.replace(block, found.strip("\n") + "\n")
            continue
        wanted = block.replace("…", "...")
        assert doctest.OutputChecker().check_output(wanted, found, OPTIONS), found
    if renewed != source:
        page.write_text(renewed, encoding="utf-8")
