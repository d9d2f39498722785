"""A request's name: its number as eight letters that read like language, so that no mask takes them for a token."""
SYLLABLES = [consonant + vowel for consonant in "bdfghklmnprstvwz" for vowel in "aeio"]
PAIRS = [first + second for first in SYLLABLES for second in SYLLABLES]
NUMBERS = {pair: number for number, pair in enumerate(PAIRS)}
MOST = len(PAIRS) ** 2
PREFIX = "/visit/"


def path_of(number):
    return PREFIX + PAIRS[number >> 12] + PAIRS[number & 4095]


def number_of(path):
    """None: no path of ours."""
    if not path.startswith(PREFIX) or len(path) != len(PREFIX) + 8:
        return None
    high, low = NUMBERS.get(path[-8:-4]), NUMBERS.get(path[-4:])
    return None if high is None or low is None else high << 12 | low
