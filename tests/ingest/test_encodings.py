"""A file in another encoding is read as what it is where that is certain, and else refused by the name of the setting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.ingest import IngestCounts, ingest
from tasks.ingest.encodings import guess_encoding
from tasks.settings import Domain, Sources
from tests.support.examples import examples

TEXTS = {
    "english": "We had a lovely evening at the café, naïve as it may sound, and have used it every day of the long summer since then. "
    "It’s the “best” one we ever had in the house — really… My fiancée loved it too, and nothing of it has broken so far.",
    "french": "Je l'ai acheté pour ma mère à Noël et elle était très contente. Le câble est trop court, mais ça va.",
    "german": "Das Gerät ist schön, aber die Bedienung könnte für Anfänger einfacher sein. Grüße aus Köln.",
    "spanish": "El año pasado compré otro más pequeño, pero éste es mejor. ¿Por qué no lo hice antes? ¡Qué rápido!",
    "italian": "È arrivato in metà del tempo, la qualità è buona però costa di più di quanto pensassi. Così è la vita.",
    "polish": "Kupiłem to dla żony i jest bardzo zadowolona. Świetna jakość, choć trochę za drogie, źle opisane.",
    "czech": "Koupil jsem to pro svou ženu a je velmi spokojená. Příběh je krásný, děj napínavý, určitě doporučuji.",
    "turkish": "Bu kitabı çok beğendim, sonuna kadar sıkılmadan okudum. Yazarın önceki kitapları da güzeldi.",
    "russian": "Отличная книга, прочитал за один вечер. Очень понравился сюжет и герои, рекомендую всем любителям.",
    "greek": "Πολύ καλό βιβλίο, το διάβασα μέσα σε ένα βράδυ. Το συνιστώ σε όλους τους φίλους του είδους.",
    "chinese": "这部电影我在周末看完，剧情紧凑，演员表演自然，配乐也很好听，值得再看一遍，推荐给朋友们。",
    "taiwanese": "這部電影我在週末看完，劇情緊湊，演員表演自然，配樂也很好聽，值得再看一遍，推薦給朋友們。",
    "japanese": "この映画は週末に見ました。ストーリーも俳優の演技も自然で、音楽もとても良かったです。",
    "korean": "이 영화는 주말에 봤습니다. 이야기도 배우의 연기도 자연스럽고 음악도 아주 좋았습니다.",
}
WRITTEN = [
    *((language, "cp1252") for language in ("english", "french", "german", "spanish", "italian")),
    *(("polish", "cp1250"), ("polish", "iso8859_2"), ("czech", "cp1250"), ("turkish", "cp1254")),
    *(("russian", "cp1251"), ("russian", "koi8_r"), ("russian", "cp866"), ("greek", "cp1253")),
    *(
        ("chinese", "gb18030"),
        ("taiwanese", "big5"),
        ("japanese", "cp932"),
        ("korean", "cp949"),
        ("japanese", "euc_jp"),
    ),
    *(("french", "mac_roman"), ("german", "cp850")),
]
WIDE = ["utf-16", "utf-16-le", "utf-16-be", "utf-32"]
PLAIN = {"user": "u", "item": "i", "rating": "r", "text": "t"}
FOUND = "SELECT user_id, text, source_line FROM raw_reviews ORDER BY source_line"


@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
def test_what_is_certain_is_right(language, encoding):
    guess = guess_encoding(TEXTS[language].encode(encoding))
    assert guess.certain is not None
    assert TEXTS[language].encode(encoding).decode(guess.certain) == TEXTS[language]


@pytest.mark.parametrize(
    "sample",
    [
        b"\xff\xfe",
        b"\x80\x81\xfe\xff" * 8,
        bytes(range(128, 256)) * 20,
        b"caf\x81 \x8d",
        b"ab\xb9cd ef\xb3gh",
        b"",
    ],
)
def test_damage_is_no_encoding(sample):
    assert guess_encoding(sample).certain is None


@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
def test_a_short_piece_is_never_read_wrongly(language, encoding):
    text = TEXTS[language]
    for size in (20, 40, 80):
        for at in range(0, max(1, len(text) - size), 7):
            piece = text[at : at + size]
            guess = guess_encoding(piece.encode(encoding))
            assert (
                guess.certain is None
                or piece.encode(encoding).decode(guess.certain, "replace") == piece
            )


def test_letters_that_may_be_of_two_languages_are_not_certain():
    assert guess_encoding(b"na\xefve").certain is None
    assert guess_encoding(b"na\xefve").likely[:2] == ("cp1252", "cp1250")


@given(st.binary(max_size=400))
@settings(max_examples=examples(60), deadline=None)
def test_any_bytes_have_an_answer(sample):
    guess = guess_encoding(sample)
    assert guess.certain is None or guess.likely == (guess.certain,)
    assert len(guess.likely) < 8


@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["csv", "json", "txt"])
@pytest.mark.parametrize("encoding", ["cp1252", "gb18030", "cp932", "cp1251", *WIDE])
def test_every_reader_and_packing(encoding, kind, packing, write, run, rows):
    language = {"gb18030": "chinese", "cp932": "japanese", "cp1251": "russian"}.get(
        encoding, "german"
    )
    text = TEXTS[language]
    written = {
        "csv": f'u,i,r,t\na,1,5,"{text}"\nb,1,5,{text[:8]}\n',
        "json": "".join(
            json.dumps({"u": user, "i": "1", "r": 5, "t": said}, ensure_ascii=False) + "\n"
            for user, said in (("a", text), ("b", text[:8]))
        ),
        "txt": f"x/u: a\nx/i: 1\nx/r: 5\nx/t: {text}\n\nx/u: b\nx/i: 1\nx/r: 5\nx/t: {text[:8]}\n",
    }[kind]
    columns = {field: f"x/{name}" for field, name in PLAIN.items()} if kind == "txt" else PLAIN
    counts = run(
        write(f"r.{kind}{packing}", written.encode(encoding)), format="columns", columns=columns
    )
    assert [row[:2] for row in rows(FOUND)] == [("a", text), ("b", text[:8])]
    assert counts.rejected == {}
    assert list(counts.encodings) == [f"r.{kind}{packing}"]


def _saved_as_cp1252(good: int, accented: int) -> bytes:
    plain = {
        "asin": "B1",
        "overall": 5.0,
        "reviewText": "It works well and I like it.",
        "unixReviewTime": 1393545600,
    }
    lines = [{"reviewerID": f"U{number}", **plain} for number in range(good + accented)]
    for line in lines[good:]:
        line["reviewText"] = TEXTS["english"]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode("cp1252")


def test_a_file_that_is_ascii_for_long_is_read_again_as_what_it_is(write, run, rows):
    content = _saved_as_cp1252(4_000, 40)
    assert len(content) > 1 << 18
    counts = run(write("r.json.gz", content))
    assert (counts.lines, counts.reviews, counts.rejected) == (4_040, 4_040, {})
    assert counts.encodings == {"r.json.gz": "cp1252"}
    assert rows("SELECT count(*) FROM raw_reviews WHERE contains(text, 'fiancée')") == [(40,)]
    assert rows("SELECT count(DISTINCT source_line) FROM raw_reviews") == [(4_040,)]


def test_a_table_that_is_ascii_for_long_is_read_again_with_its_titles(write, run, rows):
    lines = [
        "u,i,r,t,name",
        *(
            f"u{number},{number},5,It works well and I like it a lot.,Plain"
            for number in range(6_000)
        ),
    ]
    lines += [f"v{number},{number + 9_000},5,Fine.,Amélie" for number in range(60)]
    counts = run(
        write("r.csv", "\n".join(lines).encode("cp1252")),
        format="columns",
        columns={**PLAIN, "title": "name"},
    )
    assert (counts.reviews, counts.items, counts.rejected) == (6_060, 6_060, {})
    assert rows("SELECT count(*) FROM items WHERE title = 'Amélie'") == [(60,)]


def test_metadata_in_another_encoding(write, run, rows, review):
    metadata = write(
        "m.json",
        json.dumps({"asin": "B1", "title": "Amélie"}, ensure_ascii=False).encode("latin-1"),
    )
    run(write("r.json", [review()]), metadata)
    assert rows("SELECT title FROM items") == [("Amélie",)]


def test_broken_bytes_in_a_file_that_is_utf_8_are_defects_of_their_rows(write, run, rows):
    lines = [f"u{number},1,5,{TEXTS['polish'][:20]}".encode() for number in range(300)]
    lines[7] = b"u7,1,5,caf\xe9 and more"
    counts = run(write("r.csv", b"u,i,r,t\n" + b"\n".join(lines)), format="columns", columns=PLAIN)
    assert counts.rejected == {"bad_encoding": 1}
    assert rows("SELECT source_line FROM rejected_rows") == [(9,)]
    assert counts.encodings == {}


def test_bytes_that_are_no_text_in_any_encoding_are_defects_of_their_rows(write, run):
    lines = [f"u{number},1,5,Plain words.".encode() for number in range(300)]
    lines[7] = b"u7,1,5,\xff\xfe\x81"
    assert run(
        write("r.csv", b"u,i,r,t\n" + b"\n".join(lines)), format="columns", columns=PLAIN
    ).rejected == {"bad_encoding": 1}


def test_an_uncertain_encoding_is_one_line_that_names_the_setting(write, run):
    content = b"u,i,r,t\n" + b"".join(b"u%d,1,5,na\xefve\n" % number for number in range(4))
    with pytest.raises(UserError) as failed:
        run(write("r.csv", content), format="columns", columns=PLAIN)
    assert (
        "r.csv is not UTF-8 (4 of its lines are not, the first is line 2): set `sources.encoding`"
        in str(failed.value)
    )
    assert "probably cp1252 or cp1250" in str(failed.value)


@pytest.mark.parametrize(
    ("encoding", "text"), [("cp1250", "naďve"), ("latin-1", "naïve"), ("iso-8859-2", "naďve")]
)
def test_the_encoding_that_the_domain_names(encoding, text, con, write, rows):
    path = write(
        "r.csv", b"u,i,r,t\n" + b"".join(b"u%d,1,5,na\xefve\n" % number for number in range(9))
    )
    ingest_with(con, path, encoding=encoding)
    assert rows("SELECT DISTINCT text FROM raw_reviews") == [(text,)]


def test_bytes_that_the_named_encoding_does_not_have_cost_their_rows(con, write, rows):
    path = write("r.csv", b"u,i,r,t\na,1,5,caf\xe9\nb,1,5,caf\x81\n")
    counts = ingest_with(con, path, encoding="cp1252", max_bad_share=0.5)
    assert counts.rejected == {"bad_encoding": 1}
    assert rows(FOUND) == [("a", "café", 2)]


def test_an_encoding_that_is_plainly_not_the_files_is_refused(con, write):
    path = write("r.csv", f"u,i,r,t\na,1,5,{TEXTS['german']}\n".encode() * 3)
    with pytest.raises(
        UserError,
        match=r"r.csv is UTF-8, not gb18030 as `encoding` says: set the encoding of the one file",
    ):
        ingest_with(con, path, encoding="gb18030")


def test_each_file_may_have_an_encoding_of_its_own(con, write, rows):
    one, two = (
        write("1.csv", b"u,i,r,t\na,1,5,na\xefve\n"),
        write("2.csv", "u,i,r,t\nb,1,5,naïve\n"),
    )
    ingest_with(con, {"path": str(one), "encoding": "cp1252"}, two)
    assert rows("SELECT user_id, text FROM raw_reviews ORDER BY ALL") == [
        ("a", "naïve"),
        ("b", "naïve"),
    ]


@pytest.mark.parametrize("name", ["klingon", "rot13", "unicode_escape", "base64", ""])
def test_encodings_that_are_none(name):
    with pytest.raises(ValueError, match=r"is no encoding that Python knows"):
        Sources.model_validate({"format": "amazon_2014", "reviews": ["r.json"], "encoding": name})


def ingest_with(
    con: Any, *reviews: Any, encoding: str | None = None, max_bad_share: float = 0.01
) -> IngestCounts:
    listed = [each if isinstance(each, dict) else str(each) for each in reviews]
    sources = {"format": "columns", "columns": PLAIN, "reviews": listed, "encoding": encoding}
    return ingest(
        con,
        Domain.model_validate(
            {
                "name": "test",
                "sources": sources,
                "untitled": "use_id",
                "max_bad_share": max_bad_share,
            }
        ),
    )


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_lines_that_end_with_carriage_returns_alone(kind, write, run, rows):
    written = {
        "csv": "u,i,r,t\ra,1,5,One.\rb,1,5,Zwölf\r",
        "json": "".join(json.dumps({"u": u, "i": 1, "r": 5, "t": "x"}) + "\r" for u in "ab"),
    }[kind]
    run(write(f"r.{kind}", written), format="columns", columns=PLAIN)
    assert rows("SELECT user_id FROM raw_reviews ORDER BY source_line") == [("a",), ("b",)]


def test_what_stands_in_packed_data_is_looked_at_too(write, run):
    with pytest.raises(UserError, match="holds a web page"):
        run(write("r.json.gz", b"<!DOCTYPE html><html>"))


def test_bytes_behind_the_end_of_gzip_data_are_counted(tmp_path: Path, write, run, rows, review):
    path = write("r.json.gz", [review()])
    path.write_bytes(path.read_bytes() + b"garbage after the end")
    counts = run(path)
    assert (counts.lines, counts.reviews, counts.rejected, counts.bad_share) == (
        2,
        1,
        {"trailing_bytes": 1},
        0.0,
    )
    assert rows("SELECT source_line, detail FROM rejected_rows") == [
        (2, "21 bytes after the end of the compressed data")
    ]
    path.write_bytes(path.read_bytes() + b"x" * 70_000)
    with pytest.raises(UserError, match="its gzip data ends long before the file does"):
        run(path)
