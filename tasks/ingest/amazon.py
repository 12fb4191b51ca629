"""Where each edition of Amazon's reviews keeps its values."""

from __future__ import annotations

from tasks.ingest.rows import FieldNames, TitleNames

_OF_2014 = FieldNames(("reviewerID",), ("asin",), ("overall",), ("reviewText",), ("unixReviewTime", "reviewTime"))
_OF_2023 = FieldNames(("user_id",), ("parent_asin", "asin"), ("rating",), ("text",), ("timestamp",))
REVIEWS = {"amazon_2014": _OF_2014, "amazon_2018": _OF_2014, "amazon_2023": _OF_2023}
_TITLES_OF_2014 = TitleNames(("asin",), ("title",))
TITLES = {"amazon_2014": _TITLES_OF_2014, "amazon_2018": _TITLES_OF_2014, "amazon_2023": TitleNames(("parent_asin", "asin"), ("title",))}
