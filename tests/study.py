"""Write experiments/README.md from what the experiments answered: question, file, answer computed from data, run time.

Run by `make study` after the experiments; reads results/*/manifest.json.
"""

import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = """# Experiments

Each file asks one question of a scenario and answers it in a sentence computed from its data. The answers below are those
of the files as they stand; `make study` runs all of them and writes this page anew. Every number in them says what follows
from assumptions, none is a finding about the world; the ranges are in the scenario's ledger (`sim show scenarios/rock_bottom.toml`).

| question | file | answer | run time |
|---|---|---|---|
"""


def table(results):
    """Make the page from a folder of results."""
    rows = []
    for path in sorted((ROOT / "experiments").glob("*.toml"), key=order):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        manifest = json.loads((results / path.stem / "manifest.json").read_text(encoding="utf-8"))
        cells = (
            " ".join(document["question"].split()),
            f"[{path.name}]({path.name})",
            manifest["answer"],
            f"{manifest['seconds']:.0f} s",
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD + "\n".join(rows) + "\n"


def order(path):
    """Sort by the number of the first question, then by name."""
    words = tomllib.loads(path.read_text(encoding="utf-8"))["question"].split()
    numbers = [int(word.strip(":,.")) for word in words[:4] if word.strip(":,.").isdigit()]
    return numbers[0] if numbers else 99, path.name


if __name__ == "__main__":
    found = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results"
    (ROOT / "experiments" / "README.md").write_text(table(found), encoding="utf-8")
    sys.stdout.write("wrote experiments/README.md\n")
