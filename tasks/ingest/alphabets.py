"""Alphabets and scripts by the encodings used to write them, to recognise an encoding by."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FOREIGN_SHARE = 0.03
"""Share of accented letters and signs that may be foreign to the language, as in names."""
MIN_LETTERS = 5
"""Accented letters from which on the common letters of a language are expected among them."""
_MIN_COMMON_SHARE = 0.2
# Characters beyond ASCII that may be foreign to the script: names, signs, damage.
_MAX_OTHER_SCRIPT = 0.05


@dataclass(frozen=True)
class Alphabet:
    """The accented letters of a language.

    `common` are the letters any text of some length has; empty if the language has none such.
    """

    letters: str
    common: str = ""

    def fits(self, accented: str) -> bool:
        """Return True if these accented letters look like a text of the language."""
        foreign = sum(letter not in self.letters for letter in accented)
        if foreign > MAX_FOREIGN_SHARE * len(accented):
            return False
        if not self.common or len(accented) < MIN_LETTERS:
            return True
        common = sum(letter in self.common for letter in accented)
        return common >= _MIN_COMMON_SHARE * len(accented)


BORROWED_WORDS = Alphabet("éèêëïîöüäñçáàâíóôûúãåøæœß")
"""The accented letters of names and loan words in English.

Too many for a text with a lot of accented letters: nearly every encoding would fit it.
"""
_WESTERN = (
    Alphabet("éèêëïîöüäñçáàâíóôûúãåøæœß", "éäöüáíóñåø"),  # German, Dutch, Nordic, Spanish
    Alphabet("àâæçéèêëîïôœùûüÿ", "éàè"),  # French
    Alphabet("àèéìíîòóùú"),  # Italian
    Alphabet("áâãàçéêíóôõúü"),  # Portuguese
    Alphabet("áéíóúýðþæö"),  # Icelandic
    Alphabet("åäöšžõü"),  # Finnish, Estonian
)
_CENTRAL = (
    Alphabet("ąćęłńóśźż", "ąęł"),  # Polish
    Alphabet("áčďéěíňóřšťúůýž", "áíě"),  # Czech
    Alphabet("áäčďéíĺľňóôŕšťúýž", "áíý"),  # Slovak
    Alphabet("áéíóöőúüű", "áé"),  # Hungarian
    Alphabet("ăâîşţșț", "ăî"),  # Romanian
    Alphabet("čćđšž", "čšž"),  # Croatian, Slovene
    Alphabet("äöüß", "äöü"),  # German
)
LATIN: dict[str, tuple[Alphabet, ...]] = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": (Alphabet("çğıöşüâîû", "ığş"),),
    "cp1257": (
        Alphabet("āčēģīķļņšūž", "āīē"),
        Alphabet("ąčęėįšųūž", "ėšų"),
        Alphabet("äöõüšž", "äõü"),
    ),
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
}


_HAN = "\u3400-\u9fff"
_MARKS = "\u2010-\u2027\u2030-\u205e\u3000-\u303f\uff01-\uff65"  # punctuation of East Asia
_KANA = "\u3041-\u30ff"
# The characters that a third of any Chinese text consists of, simplified and traditional.
_COMMON = (
    "的一是不了在人有我他这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会家可下而过天去能对小多然于心学么之都好看起发"
    "当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日手又行意动方期它头经长儿回位分爱老因很给名法间知世什两次使身者"
    "被高已亲其进此话常与活正感這個們來時為說國著裡後會過對學麼發當沒還樣種開總從無現動經長兒愛給間兩親進話與"
)


@dataclass(frozen=True)
class Script:
    """The characters of a script, as contents of a regular expression's brackets.

    Attributes:
        common: characters that any text in the script is full of.
        share: least share of these in the characters beyond ASCII.
        known: all characters of the script; nearly all of those beyond ASCII must be among them.
    """

    common: str
    share: float
    known: str

    def fits(self, text: str) -> bool:
        """Return True if a text is plainly in this script."""
        total = sum(char > "\x7f" for char in text)
        common = len(re.findall(f"[{self.common}]", text))
        known = len(re.findall(f"[{self.known}]", text))
        return common >= self.share * total and known >= (1 - _MAX_OTHER_SCRIPT) * total


_CHINESE = Script(_COMMON, 0.12, _HAN + _MARKS)
_JAPANESE = Script(_KANA, 0.25, _KANA + _HAN + _MARKS)
_KOREAN = Script("\uac00-\ud7a3", 0.85, "\uac00-\ud7a3" + _HAN + _MARKS)
EAST_ASIAN = {
    "gb18030": _CHINESE,
    "big5": _CHINESE,
    "cp932": _JAPANESE,
    "euc_jp": _JAPANESE,
    "cp949": _KOREAN,
}
_SIGNS = "\u00a0\u00ab\u00bb\u00b7\u2010-\u2027\u2116\u20ac"
_CYRILLIC = Script("\u0400-\u04ff", 0.9, "\u0400-\u04ff" + _SIGNS)
OTHER_SCRIPTS = {
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1253": Script("\u0370-\u03ff", 0.9, "\u0370-\u03ff" + _SIGNS),
    "cp1255": Script("\u0590-\u05ff", 0.9, "\u0590-\u05ff" + _SIGNS),
    "cp1256": Script("\u0600-\u06ff", 0.9, "\u0600-\u06ff" + _SIGNS),
    "cp874": Script("\u0e00-\u0e7f", 0.9, "\u0e00-\u0e7f" + _SIGNS),
}
