"""Sender–receiver games written as scenarios, for tests."""

import tomli_w

from sim.scenario.load import loads


def table(numbers, left, right):
    """Write a table of numbers as an expression of two labels."""
    terms = [
        f"({number!r} if {a} and {b} else 0)"
        for a, row in zip(left, numbers, strict=True)
        for b, number in zip(right, row, strict=True)
    ]
    return " + ".join(terms)


def scenario(prior, sender, receiver, *, noise=None):
    """Write a game of types k, messages m, replies r; message m is paid m / 4 at once, and who has luck, with a chance that reads the type, 1 more."""
    k, m, r = len(sender), len(sender[0]), len(sender[0][0])
    kinds, said = [f"kind == t{x}" for x in range(k)], [f"said == m{x}" for x in range(m)]

    def pays(one, reply):
        return table([[row[reply] for row in own] for own in one], kinds, said)

    moves = {f"say{x}": {"player": "s", "effects": {"said": f"m{x}"}, "pays": {"s": repr(0.25 * x)}} for x in range(m)}
    for y in range(r):
        moves[f"reply{y}"] = {
            "player": "r",
            "pays": {"s": pays(sender, y), "r": pays(receiver, y)},
            "effects": {"done": True},
        }
    file = {
        "title": "A signalling game",
        "rounds": 1,
        "players": {"s": {}, "r": {}},
        "private": {"kind": {"known_to": "s", "values": {f"t{x}": repr(p) for x, p in enumerate(prior)}}},
        "state": {
            "said": {"values": ["none", *(f"m{x}" for x in range(m))], "start": "none"},
            "done": {"flag": True, "start": False},
        },
        "turns": [{"player": "s"}, {"player": "r"}],
        "moves": moves,
        "payoffs": {"s": {"each_round": "0 if done else 1"}, "r": {"each_round": "0 if said == none else 1"}},
    }
    if noise is not None:
        file["state"]["luck"] = {"values": ["even", "good"], "start": "even"}
        chance = f"{noise[0]!r} if kind == t0 else {noise[1]!r}"
        good = {"label": "good", "probability": chance, "effects": {"luck": "good"}}
        file["chance"] = {"fortune": [{"outcomes": [good, {"label": "even", "probability": f"1 - ({chance})"}]}]}
        file["turns"].append({"chance": "fortune"})
        for one in ("s", "r"):
            file["payoffs"][one]["final"] = "1 if luck == good else 0"
    return loads(tomli_w.dumps(file), "signalling.toml")
