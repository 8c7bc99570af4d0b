"""Tidy tables: every number beside its assumptions, in pieces, in CSV and Parquet alike, read by other programs."""

import csv

import numpy as np
import pytest

import sim
from sim.analysis import tidy
from sim.analysis.tidy import write_tidy
from sim.errors import OptionError

EXPERIMENT = """
title = "t"
question = "q"
scenario = "three_moves.toml"
concepts = ["subgame_perfect", { concept = "quantal_response", precision = 2.0 }]
outcomes = ["war"]
trajectories = true
[vary]
prize = [1, 2.5, 4]
cost_of_war = [0.5, 1]
[[arms]]
name = "as it is"
[[arms]]
name = "no, push"
remove = ["push"]
"""


@pytest.fixture
def results(tmp_path):
    (tmp_path / "three_moves.toml").write_text(sim.template().read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "t.toml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path, sim.run(tmp_path / "t.toml", out=tmp_path / "out", chunk=4)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_every_number_stands_beside_its_assumptions(results, monkeypatch, piece):
    folder, data = results
    monkeypatch.setattr(tidy, "ROWS", piece)
    assert write_tidy(folder / "out", folder / "x.csv") == 24
    rows = rows_of(folder / "x.csv")
    assert len(rows) == 24
    seen = set()
    for row in rows:
        place = {name: row[name] for name in ("arm", "concept")} | {
            name: float(row[name]) for name in ("prize", "cost_of_war")
        }
        seen.add(tuple(place.values()))
        here = data.sel(place)
        assert float(row["war"]) == float(here["war"])
        assert float(row["value_defender"]) == float(here["value_defender"])
        assert row["certified"] == "true"
    assert len(seen) == 24


def test_parquet_says_the_same(results):
    pq = pytest.importorskip("pyarrow.parquet")
    folder, _ = results
    write_tidy(folder / "out", folder / "x.csv")
    assert write_tidy(folder / "out", folder / "x.parquet") == 24
    table = pq.read_table(folder / "x.parquet").to_pylist()
    rows = rows_of(folder / "x.csv")
    assert len(table) == len(rows)
    for ours, theirs in zip(table, rows, strict=True):
        assert set(ours) == set(theirs)
        assert ours["war"] == float(theirs["war"])
        assert ours["arm"] == theirs["arm"]


def test_trajectories_have_a_row_for_each_rung(results):
    folder, data = results
    count = write_tidy(folder / "out", folder / "d.csv", ["distribution"])
    assert count == data["distribution"].size
    rows = rows_of(folder / "d.csv")
    total = sum(float(row["distribution"]) for row in rows)
    assert total == pytest.approx(float(data["distribution"].sum()))
    row = next(row for row in rows if float(row["distribution"]) > 0)
    place = {
        "arm": row["arm"],
        "concept": row["concept"],
        "prize": float(row["prize"]),
        "cost_of_war": float(row["cost_of_war"]),
    }
    assert float(row["distribution"]) == float(
        data["distribution"].sel(place).sel(round=int(row["round"]), rung=row["rung"])
    )


def test_what_does_not_exist_is_empty(results, monkeypatch):
    folder, _ = results
    real = tidy.read

    def holed(*words, **more):
        data = real(*words, **more).load()
        data["war"][0, 0, 1] = np.nan
        return data

    monkeypatch.setattr(tidy, "read", holed)
    write_tidy(folder / "out", folder / "x.csv")
    assert sum(row["war"] == "" for row in rows_of(folder / "x.csv")) == 1


def test_mistakes_teach(results):
    folder, _ = results
    for target, names, words in (
        ("x.xlsx", (), "expected one of csv, parquet"),
        ("x.csv", ("wars",), "not among the results"),
        ("x.csv", ("war", "distribution"), "different axes"),
    ):
        with pytest.raises(OptionError, match=words):
            write_tidy(folder / "out", folder / target, names)
    with pytest.raises(OptionError, match="holds no results"):
        write_tidy(folder, folder / "x.csv")
    assert not list(folder.glob("*.partial"))
