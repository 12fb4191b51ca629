"""German and Japanese dialogues in a small domain, written by hand for the gate."""

from __future__ import annotations

from tasks.dialogues import SlotItem
from tests.support.conversations import TEMPLATES, Conversation

TITLES = {
    "de": ["Das stille Ufer", "Der Uhrmacher von Lübeck", "Süße Überfahrt"],
    "ja": ["静かな岸辺", "港町の時計職人", "春の渡し船"],
}
_TURNS = {
    "de": (
        "Hallo! Gestern habe ich {{item:1}} gesehen und war ziemlich enttäuscht. Die erste Hälfte fand ich öde, und das Ende kam aus dem Nichts.",
        "Oh je, das kann ich verstehen. Was zählt für dich mehr, die Figuren oder die Handlung?",
        "Die Figuren, würde ich sagen. Hast du einen Tipp für mich, gern etwas Warmherziges und nicht so zäh?",
        "Dann denke ich an {{item:2}}. Da stehen die Menschen im Mittelpunkt, und es geht ruhig, aber nie schleppend zu.",
        "Den habe ich leider schon gesehen, ein überragender Film! Lieber also etwas anderes, das ich noch nicht kenne.",
        "Wie wäre es mit {{item:3}}? Eine Fähre, zwei Familien und eine lange Nacht auf dem Wasser.",
        "Das macht mich neugierig. Ist das eher lustig oder eher traurig?",
        "Beides ein wenig. Jemand schreibt, dass die Großmutter alle Lacher auf ihrer Seite hat und man am Schluss trotzdem schlucken muss.",
        "Das klingt genau richtig für mich. Den schaue ich mir am Wochenende an, danke!",
        "Gute Wahl. Mach dir einen schönen Abend, und grüß mir die Großmutter!",
    ),
    "ja": (
        "こんにちは。昨日{{item:1}}を観たのですが、正直がっかりしました。前半が長すぎて退屈で、終わり方も急でした。",
        "それは残念でしたね。作品を選ぶとき、登場人物と物語ではどちらを大切にしますか？",
        "登場人物のほうですね。もう少し心温まる作品で、何かおすすめはありますか？",
        "それなら{{item:2}}を思い浮かべました。職人と弟子の毎日をゆっくり追いかけていく話です。",
        "それはもう観ました。とても感動したので大好きな一本です。できれば別の作品をお願いします。",
        "では{{item:3}}はどうでしょう。川を渡る小さな船と、そこに集まる人たちの話です。",
        "気になります。笑える話ですか、それとも泣ける話ですか？",
        "どちらもありますよ。おばあさんの冗談に笑っているうちに、最後には胸がいっぱいになったと書いた人がいました。",
        "それは私にぴったりです。今週末に観てみます。ありがとうございます！",
        "よかったです。どうぞゆっくり楽しんでくださいね。",
    ),
}  # fmt: skip
_REVIEWS = {
    "de": {
        (1, "user"): "Leider eine Enttäuschung. Bis zur Mitte passiert fast nichts, ich habe mehrmals auf die Uhr gesehen, und dann ist es plötzlich vorbei.",
        (3, "other"): "Ich habe Tränen gelacht, vor allem über die Großmutter, die jedem auf dem Schiff die Meinung sagt. Der Abschied am Morgen ging mir nah. Neunzig Minuten, die man nicht vergisst.",
    },
    "ja": {
        (1, "user"): "期待していたのに残念でした。最初の一時間はほとんど何も起こらず、何度も時計を見てしまいました。ラストも唐突です。",
        (3, "other"): "おばあさんの言葉がいちいち可笑しくて声を出して笑いました。朝の別れの場面では涙が止まりませんでした。九十分があっという間です。",
    },
}  # fmt: skip


def dialogue(code: str, number: int = 1) -> Conversation:
    """Return the good dialogue of a language; `number` tells two of them apart."""
    template = next(one for one in TEMPLATES if one.template_id == "two")
    items = tuple(
        SlotItem(slot.number, f"i{place:06d}", TITLES[code][place])
        for place, slot in enumerate(template.slots)
    )
    spoken = zip(template.turns, _TURNS[code], strict=True)
    turns = tuple((turn.role, text) for turn, text in spoken)
    return Conversation(f"{code}-{number}", "u1", template, items, turns, _REVIEWS[code])


def but(made: Conversation, turn: int, text: str) -> Conversation:
    """Return a dialogue with another text in one turn, from 1."""
    changed = list(made.turns)
    changed[turn - 1] = (changed[turn - 1][0], text)
    return made.with_turns(changed)
