"""The goals of an utterance (2.4.1, App. C): 8 primary goals, 30 sub-goals, read from goal_specs/goals.yaml."""

from tasks.goals.loading import goals_file, load_goals, parse_goals
from tasks.goals.values import Goals, SubGoal

__all__ = ["Goals", "SubGoal", "goals_file", "load_goals", "parse_goals"]
