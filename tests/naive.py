"""A second method: the scenario interpreted state by state, without merging, in plain Python.

It shares with the package only the typed expressions, and evaluates them with ``evaluate_one``. It returns backward-induction and quantal
values of the unmerged tree under node-based tie rules, so that merging can be seen to change nothing.
"""

from __future__ import annotations

import math

from sim.scenario.evaluate import evaluate_one
from sim.scenario.values import assumption_values

TIE = 1e-9


class Naive:
    """Walks the tree of one scenario."""

    def __init__(self, scenario, settings=None, rounds=None, spans=None):
        self.s = scenario
        self.rounds = rounds or scenario.rounds
        self.env = {name: float(values[0]) for name, values in assumption_values(scenario, settings).items()}
        self.by_id = {variable.id: variable for variable in scenario.variables}
        self.delta = [evaluate_one(player.discount.node, self.env) for player in scenario.players]
        self.spans = spans
        self.visited = 0

    def names(self, state, number, **more):
        return {**self.env, **state, "round": float(number), "rounds_left": float(self.rounds - number), **more}

    def start(self):
        return {variable.id: evaluate_one(variable.start.node, self.env) for variable in self.s.variables}

    def apply(self, effects, state, env):
        out = dict(state)
        for name, expression in effects.items():
            value = evaluate_one(expression.node, env)
            variable = self.by_id[name]
            high = variable.low + variable.size - 1
            if variable.clip:
                value = min(max(value, variable.low), high)
            assert variable.low <= value <= high
            out[name] = value
        return out

    def pays(self, pays, env):
        return [evaluate_one(pays[p.id].node, env) if p.id in pays else 0.0 for p in self.s.players]

    def each_round(self, state, number):
        env = self.names(state, number)
        return [sum(evaluate_one(term.node, env) for term in player.terms.values()) for player in self.s.players]

    def final(self, state, number):
        out = []
        for player, delta, now in zip(self.s.players, self.delta, self.each_round(state, number), strict=True):
            annuity = sum(delta ** (k - 1) for k in range(1, self.rounds - number + 1))
            out.append(
                evaluate_one(
                    player.final.node, self.names(state, number, each_round=now, discount=delta, annuity=annuity)
                )
            )
        return out

    def forbidden(self, state, number):
        return any(evaluate_one(condition.node, self.names(state, number)) for condition in self.s.forbid)

    def end_of_round(self, state, number, *, ended):
        now = self.each_round(state, number)
        later = self.final(state, number) if ended or number == self.rounds else self.value(state, number + 1)
        return [a + delta * b for a, delta, b in zip(now, self.delta, later, strict=True)]

    def value(self, state, number=1):
        """Present values at the start of a round."""
        stages = []
        for turn in self.s.turns:
            if turn.comes_in(number):
                stages += [turn.player] if turn.player else [("chance", event) for event in turn.events]
        return self.stage(state, number, stages)

    def stage(self, state, number, stages):
        self.visited += 1
        if not stages:
            return self.end_of_round(state, number, ended=False)
        here, rest = stages[0], stages[1:]
        if isinstance(here, tuple):
            env = self.names(state, number)
            cases = [case for case in self.s.chance[here[1]] if evaluate_one(case.guard.node, env)]
            assert len(cases) <= 1
            return (
                self.chance(cases[0].branches, state, env, number, rest) if cases else self.stage(state, number, rest)
            )
        return self.decide(here, state, number, rest)

    def chance(self, branches, state, env, number, rest):
        total = [0.0] * len(self.s.players)
        for branch in branches:
            after = self.apply(branch.effects, state, env)
            paid = self.pays(branch.pays, env)
            later = self.end_of_round(after, number, ended=True) if branch.ends else self.stage(after, number, rest)
            for i, player in enumerate(self.s.players):
                belief = branch.believes.get(player.id, branch.probability)
                total[i] += evaluate_one(belief.node, env) * (paid[i] + later[i])
        return total

    def options(self, player, state, number, rest):
        index = self.s.player_ids.index(player)
        out = []
        for action in self.s.actions:
            env = self.names(state, number, mover=float(index), **action.chosen)
            if player not in action.players or not evaluate_one(action.guard.node, env):
                continue
            targets = [self.apply(branch.effects, state, env) for branch in action.branches] or [
                self.apply(action.effects, state, env)
            ]
            if any(self.forbidden(target, number) for target in targets):
                continue
            paid = self.pays(action.pays, env)
            if action.branches:
                later = self.chance(action.branches, state, env, number, rest)
            elif action.ends:
                later = self.end_of_round(targets[0], number, ended=True)
            else:
                later = self.stage(targets[0], number, rest)
            out.append((action, [a + b for a, b in zip(paid, later, strict=True)]))
        assert out
        return index, out

    def decide(self, player, state, number, rest):
        index, options = self.options(player, state, number, rest)
        sizes = {}
        for action, _ in options:
            if action.group:
                sizes[action.group] = sizes.get(action.group, 0) + 1
        weights = [1 / sizes[action.group] if action.group else 1.0 for action, _ in options]
        shares = self.respond(index, weights, [q[index] for _, q in options])
        return [
            sum(share * q[i] for share, (_, q) in zip(shares, options, strict=True)) for i in range(len(self.s.players))
        ]

    def respond(self, index, weights, values):
        raise NotImplementedError


class Backward(Naive):
    """Best replies, ties uniform by weight."""

    def respond(self, index, weights, values):
        best = max(values)
        kept = [w if best - q <= TIE * self.spans[index] else 0.0 for w, q in zip(weights, values, strict=True)]
        return [w / sum(kept) for w in kept]


class Quantal(Naive):
    """Logit responses of precision 1."""

    precision = 1.0

    def respond(self, _, weights, values):
        best = max(values)
        kept = [w * math.exp(self.precision * (q - best)) for w, q in zip(weights, values, strict=True)]
        return [w / sum(kept) for w in kept]
