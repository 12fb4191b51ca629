"""From a model's answer to the titles in it, in whatever form models write them."""

from tasks.evaluation.answers.cleaning import said_aloud
from tasks.evaluation.answers.entries import Recommended
from tasks.evaluation.answers.json_lists import json_objects
from tasks.evaluation.answers.parsing import MOST, Parsed, parse_answer

__all__ = ["MOST", "Parsed", "Recommended", "json_objects", "parse_answer", "said_aloud"]
