from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.settings import Home, load_domain
from tasks.settings.loading import merge

TABLE = (
    "sources: {format: columns, reviews: [a.csv], "
    "columns: {user: u, item: i, rating: r, text: t}, %s}\n"
)
COLUMNS = (
    "sources: {format: columns, reviews: [a.csv], "
    "columns: {user: u, item: i, rating: r, text: t, %s}}\n"
)
GOOD = "sources: {format: amazon_2014, reviews: [reviews.json.gz]}\n"


def home_with(tmp_path: Path, text: str, name: str = "shop") -> Home:
    folder = tmp_path / "domains"
    folder.mkdir()
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Home.find(tmp_path)


def test_a_minimal_domain_gets_the_papers_numbers(tmp_path: Path) -> None:
    domain = load_domain(home_with(tmp_path, GOOD), "shop")
    cut = domain.preprocess
    assert (cut.min_words, cut.max_words, cut.min_user_interactions, cut.min_item_interactions) == (
        20,
        400,
        10,
        10,
    )
    assert (cut.like_min, cut.dislike_max, cut.might_like_share) == (4, 2, 0.1)
    assert domain.generate.model == "offline/writer"


def test_source_paths_are_relative_to_the_domain_file(tmp_path: Path) -> None:
    domain = load_domain(home_with(tmp_path, GOOD), "shop")
    assert domain.sources.reviews[0].path == str(tmp_path.resolve() / "domains" / "reviews.json.gz")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sources: [", "is not valid YAML"),
        ("- a\n", "must be a YAML mapping"),
        (GOOD + "nuon: movie\n", "nuon: is not a known setting"),
        (GOOD + "preprocess: {min_words: 50, max_words: 3}\n", "`min_words` is above `max_words`"),
        (GOOD + "preprocess: {like_min: 2, dislike_max: 2}\n", "`dislike_max` must be below"),
        (GOOD + "max_bad_share: 7\n", "max_bad_share: Input should be less than or equal to 1"),
        ("sources: {format: columns, reviews: [a.csv]}\n", "`columns` is needed"),
        (
            TABLE % "rating_scale: [1, 10]",
            "on a `rating_scale` of 1 to 10 set both, such as 7.75 and 3.25",
        ),
        (TABLE % "rating_scale: [1, 10]" + "preprocess: {like_min: 7}\n", "set both"),
        (
            TABLE % "rating_scale: [0, 1]" + "preprocess: {like_min: 4, dislike_max: 2}\n",
            "must be on the `rating_scale`, 0 to 1",
        ),
        (TABLE % "rating_scale: [5, 1]", "must be [lowest, highest]"),
        (
            COLUMNS % "timestamp_format: soon",
            "timestamp_format: must tell the day as strptime reads it",
        ),
        (
            COLUMNS % "timestamp_format: '%d/%m'",
            "timestamp_format: must tell the day as strptime reads it",
        ),
        (COLUMNS % "rating_values: {up: 6}", "must lie on the rating_scale, 1 to 5"),
        (COLUMNS % "rating_values: {up: much}", "rating_values.up"),
        (GOOD + "preproces: {}\n", "preproces: is not a known setting (did you mean preprocess?)"),
        (
            GOOD + "preprocess: {like_mim: 4}\n",
            "preprocess.like_mim: is not a known setting (did you mean like_min?)",
        ),
        (
            GOOD + "min_words: 5\n",
            "min_words: is not a known setting (did you mean preprocess.min_words?)",
        ),
        (
            GOOD + "generate: {api_key: sk-1234}\n",
            "generate.api_key: is not a known setting (keys come from the environment",
        ),
        (GOOD + "language: no\n", "language: must be a text: put it in quotes"),
        (
            GOOD + "language: English\n",
            "language: 'English' is not of the form needed (Language of the dialogues, two "
            "letters)",
        ),
        (
            GOOD + "preprocess: {min_words: yes}\n",
            "preprocess.min_words: must be a number, not true or false",
        ),
        (GOOD + "preprocess: [min_words]\n", "preprocess: must be a mapping"),
        (GOOD + "briefs: {weights: {1: 0, 2: 0}}\n", "briefs.weights: must be shares of 0 or more"),
        (
            GOOD + "briefs: {weights: {1: 2, 2: -1}}\n",
            "briefs.weights: must be shares of 0 or more",
        ),
        (TABLE % "rating_scale: 1-5", "sources.rating_scale: must be a list"),
        (
            COLUMNS.replace("item: i", "item: u") % "",
            "`user`, `item` and `rating` must be three columns",
        ),
        (
            COLUMNS.replace("item: i", "item: ''") % "",
            "sources.columns.item: String should have at least 1 character",
        ),
        ("sources: {format: amazon_1999, reviews: [a]}\n", "sources.format"),
        (GOOD + "name: other\n", "`name` is 'other' but the file is called 'shop'"),
    ],
)
def test_a_mistake_in_the_file_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_domain(home_with(tmp_path, text), "shop")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "shop.yaml" in str(caught.value)


def test_what_yaml_reads_in_its_own_way_is_taken_as_meant(tmp_path: Path) -> None:
    text = (COLUMNS % "rating_values: {yes: 5, no: 1}, unrated: [0, ~]") + (
        "preprocess: {bias: {normalise_ratings: off}}\nquality: "
        "{severities: {readable: off}}\nbriefs:\n  # mean_utterances: 9\n"
    )
    domain = load_domain(home_with(tmp_path, text), "shop")
    assert (
        domain.preprocess.bias.normalise_ratings == domain.quality.severities["readable"] == "off"
    )
    assert domain.briefs.mean_utterances == 10.13
    columns = domain.sources.columns
    assert columns and (
        columns.rating_values["yes"],
        columns.rating_values["false"],
        columns.unrated,
    ) == (5, 1, ("0", None))


@pytest.mark.parametrize("reviews", ["r.json", "{path: r.json}", "~/r.json"])
def test_one_file_needs_no_list_and_may_lie_in_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reviews: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "domains"))
    domain = load_domain(
        home_with(tmp_path, f"sources: {{format: amazon_2014, reviews: {reviews}}}\n"), "shop"
    )
    assert [source.path for source in domain.sources.reviews] == [
        str(tmp_path.resolve() / "domains" / "r.json")
    ]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "must be a YAML mapping with at least `sources`"),
        ("# only a remark\n", "must be a YAML mapping"),
        ("sources:\n\tformat: amazon_2014\n", "line 2 is not valid YAML"),
        (GOOD + GOOD, "the key 'sources' is listed twice"),
        ("\ufeff" + GOOD + "title: café\n", None),
        (b"title: caf\xe9\n", "is not UTF-8 text"),
        (GOOD.encode("utf-16"), "is not UTF-8 text"),
        ("title: a\x00b\n", "is not valid YAML"),
        (GOOD + "title: " + "[" * 50_000, "is nested more than 100 levels deep"),
        (GOOD + "title:" + " - x:" * 200, "is not valid YAML"),
        (GOOD + BOMB + "name: *i\n", "`name` is no text"),
        (GOOD + BOMB + "quality: {suites: *i}\n", "and 10 more"),
        ("sources: &s {format: amazon_2014, reviews: *s}\n", "sources.reviews"),
        (GOOD + "title: !!python/object/apply:os.system [id]\n", "is not valid YAML"),
        (GOOD + "seed: " + "9" * 5000 + "\n", "holds a value that cannot be read"),
        (GOOD + "title: 2014-02-30\n", "holds a value that cannot be read: day is out of range"),
        (GOOD + "max_bad_share: .nan\n", "should be a finite number"),
        ('sources: {format: amazon_2014, reviews: ["a\\0b"]}\n', "sources.reviews.0.path"),
    ],
)
def test_hostile_and_broken_yaml(tmp_path: Path, content: str | bytes, words: str | None) -> None:
    home = home_with(tmp_path, "")
    (tmp_path / "domains" / "shop.yaml").write_bytes(
        content.encode() if isinstance(content, str) else content
    )
    if words is None:
        assert load_domain(home, "shop").title == "café"
        return
    with pytest.raises(UserError) as caught:
        load_domain(home, "shop")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 2000


def test_a_folder_in_place_of_a_domain_file(tmp_path: Path) -> None:
    (tmp_path / "domains" / "shop.yaml").mkdir(parents=True)
    with pytest.raises(UserError, match="shop.yaml cannot be read: Is a directory"):
        load_domain(Home.find(tmp_path), "shop")


@pytest.mark.parametrize(
    "name", ["../etc/passwd", "a'b", 'a"; DROP TABLE x', "", "Upper", "a/b", "a\x00b", "."]
)
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="is not a domain name"):
        Home.find(tmp_path).domain_file(name)


def test_an_unknown_domain_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown domain 'nowhere'.*shop"):
        home_with(tmp_path, GOOD).domain_file("nowhere")


def test_latin_1_bytes_are_told(tmp_path: Path) -> None:
    home = home_with(tmp_path, GOOD)
    (tmp_path / "domains" / "shop.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(UserError, match="is not UTF-8"):
        load_domain(home, "shop")


def test_overrides_are_checked_like_the_file(tmp_path: Path) -> None:
    home = home_with(tmp_path, GOOD)
    assert load_domain(home, "shop", {"generate": {"limits": {"rpm": 7}}}).generate.limits.rpm == 7
    with pytest.raises(UserError, match="generate.limits.rpm"):
        load_domain(home, "shop", {"generate": {"limits": {"rpm": 0}}})


def test_merge_lays_level_on_level() -> None:
    assert merge({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2]}) == {
        "a": {"b": 1, "c": 3},
        "d": [2],
    }


def test_the_shipped_domains_are_all_valid() -> None:
    home = Home()
    for name in home.domain_files():
        assert load_domain(home, name).name == name


@pytest.mark.parametrize("scale", ["[0.5, 5]", "[0, 5]", "[1, 5]"])
def test_scales_that_end_where_the_papers_does_keep_its_thresholds(
    tmp_path: Path, scale: str
) -> None:
    domain = load_domain(home_with(tmp_path, TABLE % f"rating_scale: {scale}"), "shop")
    assert (domain.preprocess.like_min, domain.preprocess.dislike_max) == (4, 2)


def test_another_scale_has_thresholds_of_its_own(tmp_path: Path) -> None:
    text = TABLE % "rating_scale: [0, 1]" + "preprocess: {like_min: 1, dislike_max: 0}\n"
    domain = load_domain(home_with(tmp_path, text), "shop")
    assert (domain.preprocess.like_min, domain.preprocess.dislike_max) == (1, 0)
