"""What the repository promises apart from its code: pins, licence, citation, targets, and no trace of a machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import sim

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = ("run", "test", "check", "docs", "bench", "study", "clean")

# Folders in which some machine keeps its users or its checkouts, and the pages by which an index lists its files.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|home|root|Users|farm)/")
INDEX_ADDRESS = re.compile(r"https?://[^\s)\"']*(?:/simple\b|/packages/|registry|mirror)")


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tracked_files():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there is no list of tracked files")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def pins():
    return [line for line in text("constraints.txt").splitlines() if line.strip()]


def test_pins_are_versions_and_nothing_else():
    lines = pins()
    assert len(lines) > 30
    for line in lines:
        assert "://" not in line
        assert "@" not in line
        assert not line.startswith("-")
        assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*==[\w.+!]+( ; .+)?", line), line


def test_every_declared_package_is_pinned():
    pinned = {line.split("==")[0] for line in pins()}
    extras = PROJECT["optional-dependencies"]
    declared = [*PROJECT["dependencies"], *(name for extra in extras.values() for name in extra)]
    assert len(declared) > 15
    names = {re.split(r"[\[<>=!~ ;]", name)[0].lower().replace("_", "-") for name in declared}
    assert names - {"escalation-sim"} <= pinned  # an extra may take in others of our own


def test_no_runtime_dependency_comes_from_the_oracles():
    oracles = {"pygambit", "open_spiel", "open-spiel", "quantecon"}
    runtime = {re.split(r"[\[<>=!~ ;]", name)[0].lower() for name in PROJECT["dependencies"]}
    assert runtime
    assert not runtime & oracles


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("see /" + "work/notes", MACHINE_PATH),
        ("'/" + "home/ann/x.py'", MACHINE_PATH),
        ("https" + "://example.org/simple/numpy", INDEX_ADDRESS),
    ],
)
def test_the_search_finds_what_it_looks_for(line, pattern):
    assert pattern.search(line)


def test_no_file_names_a_machine_or_an_index():
    files = tracked_files()
    assert len(files) > 20
    found = []
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(lines, start=1)
            if MACHINE_PATH.search(line) or INDEX_ADDRESS.search(line)
        ]
    assert not found, "\n".join(found)


def test_one_version_everywhere():
    assert sim.__version__ == PROJECT["version"]
    assert f"\nversion: {PROJECT['version']}\n" in text("CITATION.cff")
    assert f"\n## {PROJECT['version']}" in text("CHANGELOG.md")


def test_citation_is_five_lines():
    lines = text("CITATION.cff").splitlines()
    assert len(lines) == 5
    assert {line.split(":")[0] for line in lines} >= {"cff-version", "message", "title", "authors"}


def test_licence_is_mit():
    assert text("LICENSE").startswith("MIT License\n")
    assert "The escalation simulator authors" in text("LICENSE")
    assert PROJECT["license"] == "MIT"


def test_makefile_has_its_targets():
    makefile = text("Makefile")
    for target in TARGETS:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_readme_says_how_to_run_and_test():
    lines = text("README.md").splitlines()
    assert any(line.split("#")[0].strip() == "make run" for line in lines)
    assert "make test" in lines


def test_decisions_are_five_lines():
    records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert len(records) >= 8
    for number, record in enumerate(records, start=1):
        lines = record.read_text(encoding="utf-8").splitlines()
        assert len(lines) == 5, record.name
        assert record.name.startswith(f"{number:04}-")
        assert lines[0].startswith(f"# {number:04} · ")


def test_links_between_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert len(links) > 20
    missing = [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("path", [".ci/run"])
def test_scripts_are_executable(path):
    assert (ROOT / path).stat().st_mode & 0o111
    assert text(path).startswith("#!/usr/bin/env bash\n")
