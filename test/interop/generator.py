"""Session dictionaries by the thousand, always the same ones for a seed: every type that a format can hold, and now and then
one that it cannot."""

import datetime as dt
import random
import struct
import uuid
from collections import OrderedDict
from decimal import Decimal

from markupsafe import Markup

TAGS = [" di", " t", " b", " m", " u", " d"]
ALPHABETS = [
    "abcXYZ019 _-.",
    "\"\\/\b\f\n\r\t\x00\x1f\x7f<>&'",
    "äöüßéñ€ŁДعतक中",
    "\u2028\u2029\ufeff\uffff\ue000\u200b",
    "😀𐀀\U0010ffff",
]
INT_BOUNDS = [2**n + d for n in (7, 8, 15, 16, 31, 32, 53, 63, 64) for d in (-1, 0, 1)]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.1, 1e15, 1e16, 9999999999999998.0, 1e-4, 1e-5, 9.99e-5, 1e22, 1e21, 5e-324, 2.2250738585072014e-308]
FLOATS += [1.7976931348623157e308, float("inf"), float("-inf"), float("nan"), 2.0**53, 2.0**63, 123456789.0, 1 / 3]
LENGTHS = [15, 16, 31, 32, 33, 255, 256, 257, 300]


class Generator:
    def __init__(self, kind, seed):
        self.kind = kind
        self.random = random.Random(f"{kind} {seed}")
        plain = [self.none, self.boolean, self.text, self.text, self.int, self.int, self.float, self.float]
        self.scalars = plain + [self.bytes, self.uuid, self.decimal, self.datetime, self.datetime, self.date]
        self.containers = [self.list, self.tuple, self.dict, self.dict]
        self.strangers = [self.complex] if kind != "pickle" else [self.none]
        if kind == "cookie":
            self.scalars += [self.markup]
            self.strangers += [self.set, self.frozenset, self.bytearray, self.time, self.timedelta]
        else:
            self.scalars += [self.bytearray, self.time, self.timedelta]
            self.containers += [self.set, self.frozenset]
            if kind == "pickle":
                self.scalars += [self.markup]
                self.containers += [self.ordered]
            else:
                self.strangers += [self.markup, self.lone_surrogate]
            if kind == "msgpack":
                self.strangers += [self.huge_int]

    def session(self):
        """Mostly text keys, as handlers use them."""
        session = {self.key(): self.value(1) for _ in range(self.size(14))}
        if self.kind != "cookie" and self.chance(0.03):
            session[self.random.choice(self.other_keys())()] = self.value(1)
        return session

    def chance(self, share):
        return self.random.random() < share

    def size(self, most):
        return min(int(self.random.expovariate(2.5 / most)), 3 * most) if self.chance(0.97) else self.random.choice(LENGTHS[:4])

    def value(self, depth):
        if self.chance(0.0008):
            return self.random.choice(self.strangers)(depth)
        if depth < 5 and self.chance(0.3):
            return self.random.choice(self.containers)(depth)
        return self.random.choice(self.scalars)(depth)

    # Scalars.

    def none(self, _depth):
        return None

    def boolean(self, _depth):
        return self.chance(0.5)

    def int(self, _depth):
        pick = self.random.random()
        if pick < 0.4:
            return self.random.randint(-40, 140)
        value = self.random.choice(INT_BOUNDS) if pick < 0.8 else self.random.getrandbits(self.random.randint(1, 64))
        value = -value if self.chance(0.4) else value
        if self.kind == "msgpack":
            return min(max(value, -(2**63)), 2**64 - 1)
        return value if self.chance(0.97) else value ** self.random.randint(2, 20)

    def huge_int(self, _depth):
        return self.random.choice([2**64, -(2**63) - 1, 10**30])

    def float(self, _depth):
        pick = self.random.random()
        if pick < 0.3:
            return self.random.choice(FLOATS)
        if pick < 0.6:
            return float(self.random.randint(-(10**6), 10**6)) / self.random.choice([1, 2, 10, 100])
        value = struct.unpack("<d", self.random.randbytes(8))[0]
        return value if value == value else float("nan")  # of which there are many, told apart by nobody

    def text(self, _depth=0):
        alphabet = ALPHABETS[0] if self.chance(0.6) else "".join(ALPHABETS)
        length = self.size(10) if self.chance(0.97) else self.random.choice(LENGTHS)
        text = "".join(self.random.choices(alphabet, k=length))
        if self.kind in ("cookie", "pickle") and self.chance(0.02):
            text += self.lone_surrogate(0)
        return text

    def lone_surrogate(self, _depth):
        # Never a pair, which the notation cannot tell from the character that it stands for.
        return self.random.choice(["\ud800", "\udbff x", "x\udc00", "\udfff"]) + "."

    def bytes(self, _depth):
        return self.random.randbytes(self.size(12) if self.chance(0.97) else self.random.choice(LENGTHS))

    def bytearray(self, depth):
        return bytearray(self.bytes(depth))

    def uuid(self, _depth):
        return uuid.UUID(int=self.random.getrandbits(128))

    def decimal(self, _depth):
        special = ["NaN", "Infinity", "-Infinity", "0", "-0", "0E+3", "1E+100", "1.50", "-0.000001"]
        if self.chance(0.3):
            return Decimal(self.random.choice(special))
        return Decimal(self.random.randint(-(10**20), 10**20)).scaleb(self.random.randint(-30, 10))

    def markup(self, depth):
        return Markup(self.text(depth))

    def moment(self):
        year = self.random.randint(1, 9999) if self.chance(0.3) else self.random.randint(1970, 2106)
        micros = self.random.choice([0, 0, 1, 500000, 678000, 678901, 999999])
        parts = [self.random.randint(1, 12), self.random.randint(1, 28), self.random.randrange(24)]
        return dt.datetime(year, *parts, self.random.randrange(60), self.random.randrange(60), micros)

    def zone(self):
        pick = self.random.random()
        if pick < 0.4:
            return dt.timezone.utc
        seconds = 60 * self.random.randint(-1439, 1439) if pick < 0.9 else self.random.randint(-86399, 86399)
        return dt.timezone(dt.timedelta(seconds=seconds))

    def datetime(self, _depth):
        moment = self.moment()
        if self.chance(0.4):
            return moment
        # At the ends of the calendar a zone leads out of it, where Python fails in ways of its own.
        moment = moment.replace(year=min(max(moment.year, 2), 9998))
        return moment.replace(tzinfo=self.zone())

    def date(self, _depth):
        return self.moment().date()

    def time(self, _depth):
        time = self.moment().time()
        return time if self.chance(0.6) else time.replace(tzinfo=self.zone())

    def timedelta(self, _depth):
        days = self.random.choice([0, 0, 1, -1, 5, -999999, 999999])
        return dt.timedelta(days, self.random.choice([0, 1, 59, 86399, -1]), self.random.choice([0, 0, 1, 500000, 999999]))

    def complex(self, _depth):
        return complex(1, 2)

    # Containers.

    def list(self, depth):
        return [self.value(depth + 1) for _ in range(self.size(5))]

    def tuple(self, depth):
        return tuple(self.list(depth))

    def hashable(self, _depth):
        pool = [self.text, self.text, self.int, self.boolean, self.none, self.bytes, self.float, self.uuid, self.date]
        value = self.random.choice(pool)(0)
        # A JavaScript Set has no -0, which equals 0 in Python, and has nan but once.
        return 0.5 if isinstance(value, float) and (value == 0 or value != value) else value

    def set(self, depth):
        return {self.hashable(depth) for _ in range(self.size(4))}

    def frozenset(self, depth):
        return frozenset(self.set(depth))

    def key(self):
        if self.chance(0.03):
            return self.random.choice(TAGS + ["__proto__", "constructor", "", "0", "17", "-1", "_permanent", " t__", " z"])
        return self.text()

    def dict(self, depth):
        if self.chance(0.03):
            return {self.random.choice(TAGS): self.value(depth + 1)}
        keys = [self.key] if self.chance(0.9) else self.other_keys()
        return {self.random.choice(keys)(): self.value(depth + 1) for _ in range(self.size(5))}

    def other_keys(self):
        # Not -0.0 and nan, which are not what they are in the keys of a JavaScript Map.
        number, whole = lambda: min(1e300, abs(self.float(0))), lambda: self.int(0)
        if self.kind == "cookie":
            return [number, whole] if self.chance(0.5) else [lambda: self.chance(0.5), whole]
        keys = [self.key, number, whole, lambda: self.date(0), lambda: self.uuid(0), lambda: self.decimal(0), lambda: self.bytes(0)]
        if self.kind == "json":
            return keys
        flag, nothing = lambda: self.chance(0.5), lambda: None
        keys += [flag, nothing, lambda: tuple(self.hashable(0) for _ in range(self.size(3)))]
        return keys + [lambda: frozenset([self.text()]), lambda: self.datetime(0)] if self.kind == "pickle" else keys

    def ordered(self, depth):
        return OrderedDict((self.key(), self.value(depth + 1)) for _ in range(self.size(4)))
