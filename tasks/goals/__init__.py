"""The goals of an utterance (2.4.1, App. C): 8 primary goals, 30 sub-goals, read from goal_specs/goals.yaml."""

from tasks.goals.loading import goals_file, load_goals, parse_goals
from tasks.goals.values import Collection, Goals, SubGoal

__all__ = [
    "Collection",
    "Goals",
    "SubGoal",
    "goals_file",
    "load_goals",
    "parse_goals",
]
