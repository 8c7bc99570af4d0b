"""Questions asked of solutions: paths, outcomes, moves, the recorded history, and many variants at once."""
