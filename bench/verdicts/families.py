"""Families of statements: a function each, which gives one statement, or what a session sends before it and then the statement."""

import random
from typing import NamedTuple


class Statement(NamedTuple):
    number: int
    family: str
    sql: str
    before: tuple = ()  # sent in front of it, over the same connection
    after: tuple = ()
    parameters: tuple = ()  # (type, value) of each marker: it is sent prepared


class Execute(NamedTuple):
    """A statement with markers, and what stands for them."""

    sql: str
    parameters: list


class Families(dict):
    """A decorator that remembers what it decorated."""

    def __call__(self, function):
        self[function.__name__] = function
        return function


def letters(number):
    """A table's alias of its own makes each statement's fingerprint its own."""
    text = ""
    while True:
        text = chr(97 + number % 26) + text
        number //= 26
        if number == 0: return "q" + text + "z"


def numbered(families, count, seed, left_out=()):
    """Statements in turn of all families but those left out, each marked with its number and family."""
    dice = random.Random(seed)
    names = [name for name in families if name not in left_out]
    for number in range(count):
        name = names[number % len(names)]
        made = families[name](dice, letters(number))
        if isinstance(made, Execute):
            yield Statement(number, name, f"/* q{number} {name} */ " + made.sql, parameters=tuple(made.parameters[:made.sql.count("?")]))
            continue
        *before, sql = (made,) if isinstance(made, str) else made
        yield Statement(number, name, f"/* q{number} {name} */ " + sql.replace(" )", ")"), tuple(before))
