"""Makes the demo's reviews.json.gz and meta.json.gz from the hand-written material beside this file.

    python data/demo/make_demo.py [--out FOLDER] [--sample N]

Needs nothing but Python's standard library. The same material and seed give the same files, byte
for byte.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import hashlib
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from making.composing import Composer, Written  # noqa: E402
from making.material import Film, Person, read_films, read_frames, read_people  # noqa: E402
from making.plan import Rating, plan  # noqa: E402

SEED = 1927
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def code(text: str, length: int) -> str:
    """Return an id in Amazon's style that depends on the text alone."""
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:12], "big")
    letters = ""
    for _ in range(length):
        number, rest = divmod(number, len(LETTERS))
        letters += LETTERS[rest]
    return letters


def item_id(film: Film) -> str:
    """Return a film's catalogue number; tapes have figures only."""
    if "[VHS]" in film.facts["title"]:
        return "630" + str(int(hashlib.sha256(film.key.encode()).hexdigest()[:10], 16))[-7:]
    return "B000" + code(film.key, 6)


def meta_record(film: Film) -> dict[str, object]:
    """Return a film's line of metadata in the schema of 2014."""
    return {
        "asin": item_id(film),
        "title": film.facts["title"],
        "brand": film.facts["studio"],
        "categories": [["Movies & TV", film.kind[1].capitalize()]],
        "description": film.premises[0].text[0].upper() + film.premises[0].text[1:] + ".",
    }


def review_record(rating: Rating, written: Written, person: Person, film: Film) -> dict[str, object]:
    """Return a review in the schema of 2014."""
    votes = int(code(person.name + film.key, 2), 36) % 9
    return {
        "reviewerID": "A" + code(person.name, 12),
        "asin": item_id(film),
        "reviewerName": person.name,
        "helpful": [votes * 3 // 4, votes],
        "reviewText": written.text,
        "overall": float(rating.stars),
        "summary": written.title,
        "unixReviewTime": rating.timestamp,
        "reviewTime": rating.day.strftime("%m %d, %Y"),
    }


def make_reviews(people: list[Person], films: list[Film]) -> list[dict[str, object]]:
    """Plan and write every review, in the order of time."""
    rng = random.Random(SEED)
    ratings = plan(people, films, rng)
    composer = Composer(people, films, read_frames(HERE / "material" / "frames"), rng)
    return [review_record(rating, composer.write(rating), people[rating.person], films[rating.film]) for rating in ratings]


def unlisted_reviews(people: list[Person]) -> list[dict[str, object]]:
    """Return the reviews, each written by hand, of the one item that the catalogue does not list.
    """
    records = []
    for line in (HERE / "material" / "unlisted.txt").read_text(encoding="utf-8").splitlines():
        name, stars, day, title, text = (part.strip() for part in line.split("|"))
        film = Film("unlisted", {"title": ""})
        person = next(person for person in people if person.name == name)
        rating = Rating(people.index(person), -1, int(stars), datetime.date.fromisoformat(day))
        records.append(review_record(rating, Written(text, title), person, film))
    return records


def with_blemishes(lines: list[str]) -> list[str]:
    """Put in what real files have too: a line cut short, a rating of 0, a missing text and two reviews sent twice.
    """
    spoilt = list(lines)
    spoilt[411] = spoilt[411][:140]
    spoilt[902] = changed(spoilt[902], overall=0.0)
    spoilt[1377] = changed(spoilt[1377], reviewText=None)
    for position in (2001, 1605):
        again = json.loads(spoilt[position])["summary"] + " (corrected)"
        spoilt.insert(position + 1, changed(spoilt[position], summary=again))
    return spoilt


def changed(line: str, **values: object) -> str:
    """Return a JSON line with fields changed; None removes a field."""
    record = {**json.loads(line), **values}
    return json.dumps({name: value for name, value in record.items() if value is not None}, ensure_ascii=False)


def json_lines(records: list[dict[str, object]]) -> list[str]:
    """Return records as JSON lines."""
    return [json.dumps(record, ensure_ascii=False) for record in records]


def write_gz(path: Path, lines: list[str]) -> None:
    """Write lines gzipped, with neither a name nor a time in the header."""
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=9) as packed:
        packed.write("".join(line + "\n" for line in lines).encode("utf-8"))


def main() -> None:
    """Make both files, or print a sample of reviews."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this file's)")
    parser.add_argument("--sample", type=int, default=0, help="print so many reviews instead of writing files")
    args = parser.parse_args()
    films = read_films(HERE / "material" / "films")
    people = read_people(HERE / "material" / "people.txt")
    reviews = sorted(make_reviews(people, films) + unlisted_reviews(people), key=lambda record: str(record["unixReviewTime"]).zfill(12))
    if args.sample:
        titles = {item_id(film): film.facts["name"] for film in films}
        for record in random.sample(reviews, args.sample):
            print(titles.get(str(record["asin"]), "?"), record["reviewerName"], record["overall"], record["summary"], sep=" | ")
            print(record["reviewText"], end="\n\n")
        return
    args.out.mkdir(parents=True, exist_ok=True)
    write_gz(args.out / "meta.json.gz", json_lines([meta_record(film) for film in films]))
    write_gz(args.out / "reviews.json.gz", with_blemishes(json_lines(reviews)))


if __name__ == "__main__":
    main()
