"""From a scenario to a game: the state space, its payoffs and probabilities, and exchange with other programs."""
