"""Annotation by people (4.1): a study in one file, and a local page to answer it."""

from tasks.evaluation.annotate.app import annotation_app, serve_annotation
from tasks.evaluation.annotate.study import Progress, Study

__all__ = ["Progress", "Study", "annotation_app", "serve_annotation"]
