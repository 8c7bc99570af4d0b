"""Drawings for Graphviz: read back by a small grammar, nodes and edges counted, labels unharmed."""

import re
import sys

import numpy as np
import pytest

import sim
from sim.cli import main
from sim.construct.dot import to_dot
from sim.errors import OptionError
from sim.game.stationary import stationary_game

TEXT = r'"((?:[^"\\]|\\.)*)"'
NODE = re.compile(rf"  n(\d+) \[(shape=\w+(?: peripheries=2)?)( style=bold)? label={TEXT}\];")
EDGE = re.compile(rf"  n(\d+) -> n(\d+) \[label={TEXT}( color=gray fontcolor=gray)?\];")
BACK = re.compile(r"  n(\d+) -> n(\d+) \[style=dashed constraint=false\];")
HEAD = re.compile(r"  (?:graph|node|edge) \[.*\];")


def read_back(text):
    """Read every line, or fail."""
    lines = text.splitlines()
    assert lines[0] == "digraph game {"
    assert lines[-1] == "}"
    nodes, edges, back = {}, [], []
    for line in lines[1:-1]:
        if one := NODE.fullmatch(line):
            nodes[int(one[1])] = (
                one[2],
                bool(one[3]),
                one[4].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\"),
            )
        elif one := EDGE.fullmatch(line):
            edges.append((int(one[1]), int(one[2]), one[3].split("\\n"), bool(one[4])))
        elif one := BACK.fullmatch(line):
            back.append((int(one[1]), int(one[2])))
        else:
            assert HEAD.fullmatch(line), line
    return nodes, edges, back


@pytest.mark.parametrize("case", ["signorino", "audience_costs", "big_match", "chain_store", "brinkmanship"])
def test_every_node_and_edge_once(case, root):
    game = sim.compile(sim.load(root / "scenarios" / f"{case}.toml"))
    solution = sim.solve(game, "subgame_perfect")
    graph = game.graph
    nodes, edges, back = read_back(to_dot(game, solution.profile))
    assert list(nodes) == list(range(graph.node_count))
    assert len(edges) == graph.edge_count
    assert back == []
    assert [(a, b) for a, b, _, _ in edges] == list(
        zip(graph.edge_source().tolist(), graph.edge_dst.tolist(), strict=True)
    )
    assert [n for n, (_, bold, _) in nodes.items() if bold] == graph.roots.tolist()
    shown = [float(part[4:]) for _, _, label, _ in edges for part in label if part.startswith("p = ")]
    np.testing.assert_allclose(shown, solution.profile[0], rtol=1e-3)
    assert [grey for *_, grey in edges] == (solution.profile[0] == 0).tolist()
    ends = [n for n, (shape, _, _) in nodes.items() if shape == "shape=oval"]
    assert ends == [n for n in range(graph.node_count) if not len(graph.edges_of(n))]


def test_without_a_solution_chance_alone_has_probabilities(root):
    game = sim.compile(sim.load(root / "scenarios" / "brinkmanship.toml"))
    nodes, edges, _ = read_back(to_dot(game))
    seen = {"shape=diamond": 0, "shape=box": 0}
    for source, _, label, _ in edges:
        shape = nodes[source][0]
        seen[shape] += 1
        assert any(part.startswith("p = ") for part in label) == (shape == "shape=diamond")
    assert min(seen.values()) > 10
    assert "rung = peace" in nodes[0][2]


def test_labels_are_escaped(tmp_path):
    text = sim.template().read_text(encoding="utf-8")
    title = re.search(r'^title\s*=\s*"(.*)"', text, flags=re.MULTILINE)[1]
    file = tmp_path / "quoted.toml"
    file.write_text(text.replace(f'"{title}"', "'He said \"no\" \\ twice'", 1), encoding="utf-8")
    scenario = sim.load(file)
    assert scenario.title == 'He said "no" \\ twice'
    out = to_dot(sim.compile(scenario))
    read_back(out)
    assert r'label="He said \"no\" \\ twice"' in out


def test_endless_games_lead_back():
    game = stationary_game(
        np.eye(2)[:, :, None, None] * [1.0, -1.0] + np.zeros((2, 2, 2, 2)),
        np.zeros((2, 2, 2, 1)),
        np.ones((2, 2, 2, 1)),
        0.5,
    )
    nodes, edges, back = read_back(to_dot(game))
    assert len(nodes) == game.graph.node_count == 4
    assert len(edges) == game.graph.edge_count == 8
    assert back == [(2, 0), (3, 1)]
    assert [shape for shape, _, _ in nodes.values()] == ["shape=box peripheries=2"] * 2 + ["shape=plaintext"] * 2


def test_large_graphs_are_refused(rock_bottom):
    with pytest.raises(OptionError, match="47,102 nodes; a drawing is refused above 500"):
        to_dot(rock_bottom)


def test_command_line(root, tmp_path, monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["sim", "export", *words])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    file = str(root / "scenarios" / "signorino.toml")
    code, out, _ = run(file, "--format", "dot", "--concept", "quantal_response", "--precision", "2")
    assert code == 0
    nodes, edges, _ = read_back(out)
    assert (len(nodes), len(edges)) == (5, 4)
    assert all(any(part.startswith("p = 0.") for part in label) for _, _, label, _ in edges)
    code, out, _ = run(file, "--format", "dot", "--out", str(tmp_path / "x.dot"))
    assert code == 0
    assert len(read_back((tmp_path / "x.dot").read_text(encoding="utf-8"))[0]) == 5
    assert run(file, "--format", "dot", "--max-nodes", "3")[0] == 2
    assert run(file, "--format", "efg", "--concept", "level_k")[0] == 2
    assert run(file, "--format", "dot", "--precision", "2")[0] == 2
    assert run("--format", "dot")[0] == 2
