"""German and Japanese dialogues in the gate: good ones pass, each defect falls by its own rule."""

from __future__ import annotations

import duckdb
import pytest

from tasks.dialogues import parse_transcripts
from tasks.quality import judge
from tasks.settings import Domain, Home
from tests.support import conversations as made
from tests.support.conversations import Conversation
from tests.support.foreign_dialogues import TITLES, but, dialogue
from tests.support.rules import rules_of


def domain(code: str, profile: str = "grounded") -> Domain:
    """Return a domain of a language."""
    return Domain.model_validate(
        {
            "name": "t",
            "language": code,
            "sources": {"format": "amazon_2014", "reviews": ["x"]},
            "generate": {"profile": profile},
        }
    )


def judged(one: Conversation, code: str, profile: str = "grounded") -> duckdb.DuckDBPyConnection:
    """Return the warehouse after the gate."""
    con = made.warehouse([one], TITLES[code])
    text = one.paper() if profile == "paper" else one.grounded()
    made.answer(con, [(one.dialogue_id, text)], profile)
    settings = domain(code, profile)
    parse_transcripts(con, settings, 1)
    assert judge(con, rules_of(Home(), settings), settings, 1).judged == 1
    return con


def rejected_by(one: Conversation, code: str, profile: str = "grounded") -> set[tuple[str, int]]:
    """Return each rule that rejects, with the turn."""
    query = "SELECT rule, turn FROM rejections WHERE severity = 'reject'"
    return set(judged(one, code, profile).execute(query).fetchall())


@pytest.mark.parametrize("profile", ["grounded", "paper"])
@pytest.mark.parametrize("code", TITLES)
def test_good_dialogues_are_accepted(code: str, profile: str) -> None:
    assert rejected_by(dialogue(code), code, profile) == set()


DEFECTS = [
    ("de", 1, "Hallo! {{item:1}} war überragend, ich fand ihn wunderbar und süß.", "sentiment-fits"),
    ("de", 5, "Den kenne ich schon, aber er war öde und mies. Lieber etwas anderes, bitte.", "sentiment-fits"),
    ("de", 9, "Nein danke, das ist leider nichts für mich. Den lasse ich aus.", "decision-fits"),
    ("de", 8, "Manche fanden, dass die GroÃŸmutter alles Ã¼berstrahlt.", "readable"),
    ("de", 4, "Dann denke ich an etwas Ruhiges, in dem die Menschen im Mittelpunkt stehen.", "items-named"),
    ("de", 8, "One person wrote that the grandmother is very funny and that they cried at the end of it.", "language"),
    ("de", 8, "Meine Frau und ich haben ihn im Urlaub geschaut und viel gelacht.", "speaks-as-itself"),
    ("de", 2, "Großartige Frage! Wie kann ich Ihnen heute helfen? Magst du lieber Figuren oder Handlung?", "no-chatbot-habits"),
    ("de", 4, "Wie wäre es mit {{item:2}}? [Filmtitel einsetzen]", "slots-filled"),
    ("de", 2, "Laut Vorlage soll ich dich jetzt fragen: Was magst du lieber, Figuren oder Handlung?", "no-goal-wording"),
    ("de", 2, "Oh je, das kann ich gut verstehen. Solche Abende gibt es.", "goals-carried-out"),
    ("de", 8, "Er gewann die Goldene Palme, und alle waren gerührt.", "facts-supported"),
    ("de", 8, "Er dauert 117 Minuten, und man muss am Schluss schlucken.", "facts-supported"),
    ("de", 8, "Jemand habe Tränen gelacht, vor allem über die Großmutter, die jedem auf dem Schiff die Meinung sagt.", "no-copied-review"),
    ("de", 6, "Wie wäre es mit {{item:3}}? Oder doch mit „Blaue Stunde“?", "no-invented-titles"),
    ("ja", 1, "こんにちは。昨日{{item:1}}を観ました。最高に面白くて大好きな作品です。", "sentiment-fits"),
    ("ja", 5, "それはもう観ました。退屈で最悪でした。別の作品をお願いします。", "sentiment-fits"),
    ("ja", 9, "申し訳ないですが結構です。私には合わないと思います。", "decision-fits"),
    ("ja", 8, "縺翫縺ゅ＆繧薙縺瑚ｩｱ縺励∪縺励◆", "readable"),
    ("ja", 4, "職人と弟子の毎日をゆっくり追いかけていく、静かな話を思い浮かべました。", "items-named"),
    ("ja", 8, "One person wrote that the grandmother is very funny and that they cried.", "language"),
    ("ja", 8, "这部电影非常好看，很多人看完之后都哭了，大家都推荐这部作品给朋友观看。", "language"),
    ("ja", 8, "私の妻も一緒に笑っていました。とても温かい話ですよ。", "speaks-as-itself"),
    ("ja", 2, "かしこまりました。何かお手伝いできますか？登場人物と物語ではどちらを大切にしますか？", "no-chatbot-habits"),
    ("ja", 4, "それなら{{item:2}}か【作品名】はいかがでしょう。", "slots-filled"),
    ("ja", 2, "テンプレートに従って聞きます。登場人物と物語ではどちらを大切にしますか？", "no-goal-wording"),
    ("ja", 2, "それは残念でしたね。そういう夜もあります。", "goals-carried-out"),
    ("ja", 8, "アカデミー賞を取った作品で、最後には胸がいっぱいになります。", "facts-supported"),
    ("ja", 8, "上映時間は117分で、最後には胸がいっぱいになったそうです。", "facts-supported"),
    ("ja", 8, "おばあさんの言葉がいちいち可笑しくて声を出して笑いました。朝の別れの場面では涙が止まりませんでした。", "no-copied-review"),
    ("ja", 6, "では{{item:3}}はどうでしょう。『夜明けの灯台』もありますが。", "no-invented-titles"),
    ("ja", 8, "どちらもありますよ。" + "おばあさんの冗談に笑っているうちに最後には胸がいっぱいになりました。" * 5, "utterance-length"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "turn", "text", "rule"), DEFECTS)
def test_a_defect_falls_by_its_own_rule(code: str, turn: int, text: str, rule: str) -> None:
    assert (rule, turn) in rejected_by(but(dialogue(code), turn, text), code)


HELD = [
    ("de", 8, "Beides ein wenig. Neunzig Minuten, schreibt jemand, und keine davon zu viel: 90 Minuten Gefühl."),
    ("de", 8, "Vor lauter Angstschweiß habe jemand die Donaudampfschifffahrtsgesellschaft vergessen, heißt es."),
    ("de", 9, "Ich bin zwar müde, aber das klingt gut. Den schaue ich mir am Wochenende an, danke!"),
    ("ja", 8, "上映時間は90分だそうです。最後には胸がいっぱいになったと書いた人がいました。"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "turn", "text"), HELD)
def test_what_the_language_allows_is_no_defect(code: str, turn: int, text: str) -> None:
    assert rejected_by(but(dialogue(code), turn, text), code) == set()


def test_the_length_of_japanese_is_told_in_characters() -> None:
    one = but(dialogue("ja"), 8, "おばあさんの冗談に笑っているうちに胸がいっぱいになりました。" * 6)
    con = judged(one, "ja")
    (evidence,) = con.execute(
        "SELECT evidence FROM rejections WHERE rule = 'utterance-length'"
    ).fetchall()[0]
    assert evidence.startswith("180 characters: ")
