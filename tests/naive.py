"""A second method: the scenario interpreted state by state, without merging, in plain Python.

It shares with the package only the typed expressions, and evaluates them with ``evaluate_one``. It returns backward-induction and quantal
values of the unmerged tree under node-based tie rules, so that merging can be seen to change nothing.
"""

from __future__ import annotations

import itertools
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
                if turn.together:
                    stages.append(turn)
                else:
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
        if not isinstance(here, str):
            return self.at_once(here.together, state, number, rest)
        return self.decide(here, state, number, rest)

    def at_once(self, players, state, number, rest):
        """Uniform play by all of them, every combination of moves and of outcomes told apart."""
        total = [0.0] * len(self.s.players)
        for chosen in itertools.product(*(self.available(player, state, number) for player in players)):
            share = math.prod(weight for _, weight in chosen)
            parts = []
            for player, (action, _) in zip(players, chosen, strict=True):
                env = self.names(state, number, mover=float(self.s.player_ids.index(player)), **action.chosen)
                parts.append([(action, branch, env) for branch in action.branches or [None]])
            for combination in itertools.product(*parts):
                for i, value in enumerate(self.outcome_of(combination, state, number, rest)):
                    total[i] += share * value
        return total

    def available(self, player, state, number):
        env = {"mover": float(self.s.player_ids.index(player))}
        found = [
            action
            for action in self.s.actions
            if player in action.players
            and evaluate_one(action.guard.node, self.names(state, number, **env, **action.chosen))
        ]
        sizes = {group: sum(action.group == group for action in found) for group in {action.group for action in found}}
        weights = [1 / sizes[action.group] if action.group else 1.0 for action in found]
        return [(action, weight / sum(weights)) for action, weight in zip(found, weights, strict=True)]

    def outcome_of(self, combination, state, number, rest):
        """What each player expects of one combination of moves and outcomes, weighed by that player's own belief in it."""
        written, paid = {}, [0.0] * len(self.s.players)
        beliefs, ended = [1.0] * len(self.s.players), False
        for action, branch, env in combination:
            holder = branch or action
            ended = ended or holder.ends
            for table in (action.pays, branch.pays if branch else {}):
                paid = [a + b for a, b in zip(paid, self.pays(table, env), strict=True)]
            for i, player in enumerate(self.s.players):
                if branch:
                    beliefs[i] *= evaluate_one(branch.believes.get(player.id, branch.probability).node, env)
            for name, expression in holder.effects.items():
                written.setdefault(name, []).append(evaluate_one(expression.node, env))
        after = dict(state)
        for name, values in written.items():
            variable = self.by_id[name]
            if len(values) == 1:
                value = values[0]
            elif variable.combine == "add":
                value = state[name] + sum(value - state[name] for value in values)
            else:
                value = {"max": max, "min": min}[variable.combine](values)
            high = variable.low + variable.size - 1
            after[name] = min(max(value, variable.low), high) if variable.clip else value
        later = self.end_of_round(after, number, ended=True) if ended else self.stage(after, number, rest)
        return [belief * (a + b) for belief, a, b in zip(beliefs, paid, later, strict=True)]

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


class Uniform(Naive):
    """Weighted uniform play."""

    def respond(self, _, weights, values):
        return [w / sum(weights) for w in weights][: len(values)]


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
