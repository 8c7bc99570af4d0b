"""The language: from the text of a scenario file to a checked :class:`~sim.scenario.model.Scenario`."""
