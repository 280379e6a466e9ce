"""The notation for Python values that the vectors use (test/vectors/data/README.md), both ways."""

import datetime as dt
import decimal
import uuid
from collections import OrderedDict

from markupsafe import Markup


def to_notation(v):
    """Raises TypeError for what the notation has no name for."""
    t = type(v)
    if v is None or t is bool or t is str:
        return v
    if t is int:
        return ["int", str(v)]
    if t is float:
        return ["float", repr(v)]
    if t in (list, tuple, set, frozenset):
        return [t.__name__, [to_notation(x) for x in v]]
    if t in (dict, OrderedDict):
        return [t.__name__.lower(), [[to_notation(k), to_notation(x)] for k, x in v.items()]]
    if t in (bytes, bytearray):
        return [t.__name__, v.hex()]
    if t is Markup:
        return ["markup", str(v)]
    if t in (uuid.UUID, decimal.Decimal):
        return [t.__name__.lower(), str(v)]
    if t in (dt.datetime, dt.date, dt.time):
        return [t.__name__, v.isoformat()]
    if t is dt.timedelta:
        return ["timedelta", v.days, v.seconds, v.microseconds]
    raise TypeError(f"no notation for {t.__module__}.{t.__qualname__}")


def _items(n):
    return [from_notation(x) for x in n]


def _pairs(n):
    return [(from_notation(k), from_notation(v)) for k, v in n]


_READERS = {
    "int": int,
    "float": float,
    "list": _items,
    "tuple": lambda n: tuple(_items(n)),
    "set": lambda n: set(_items(n)),
    "frozenset": lambda n: frozenset(_items(n)),
    "dict": lambda n: dict(_pairs(n)),
    "ordereddict": lambda n: OrderedDict(_pairs(n)),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "markup": Markup,
    "uuid": uuid.UUID,
    "decimal": decimal.Decimal,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": dt.timedelta,
}


def from_notation(n):
    if not isinstance(n, list):
        return n
    return _READERS[n[0]](*n[1:])
