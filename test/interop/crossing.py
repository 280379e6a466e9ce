"""Sessions as lines of JSON, written and read by the real libraries.

    crossing.py write FORMAT SEED COUNT   generated sessions, each with its record or the error that it made
    crossing.py read FORMAT               checks records that come in, a line for a line

FORMAT is cookie, msgpack, json or pickle. Records are hexadecimal, cookies are text; values are in the notation of notation.py.
"""

import json
import pickle
import sys
import zlib

from flask import Flask
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSessionInterface
from generator import Generator
from itsdangerous import base64_decode
from notation import from_notation, to_notation

SECRET_KEY = "a key that both sides know"


class Cookie:
    def __init__(self):
        app = Flask(__name__)
        app.secret_key = SECRET_KEY
        # As in a request, where keys are sorted.
        app.app_context().push()
        self.signing = SecureCookieSessionInterface().get_signing_serializer(app)
        self.canonical = TaggedJSONSerializer().dumps

    def write(self, session):
        return self.signing.dumps(session)

    def read(self, record):
        return dict(self.signing.loads(record, max_age=31 * 86400))

    def same(self, record, session):
        """Compression differs between builds of zlib: what is compared is the text inside."""
        payload, _, _ = record.rsplit(".", 2)
        data = base64_decode(payload.lstrip("."))
        text = zlib.decompress(data) if payload.startswith(".") else data
        return text.decode() == self.canonical(session)


class Msgspec:
    """Flask-Session's own serializer."""

    def __init__(self, kind):
        from flask_session.base import MsgSpecSerializer

        app = Flask(__name__)
        app.logger.disabled = True
        self.serializer = MsgSpecSerializer(app, kind)

    def write(self, session):
        return self.serializer.encode(session).hex()

    def read(self, record):
        return dict(self.serializer.decode(bytes.fromhex(record)))

    def same(self, record, session):
        return self.write(session) == record


class Pickle:
    def __init__(self):
        self.protocol = 0

    def write(self, session):
        self.protocol = (self.protocol + 1) % 6
        return pickle.dumps(session, self.protocol).hex()

    def read(self, record):
        return pickle.loads(bytes.fromhex(record))

    def same(self, record, session):
        """What is one object and what two equal ones decides about the bytes: only values are compared."""
        return True


def library(kind):
    return {"cookie": Cookie, "pickle": Pickle}.get(kind, lambda: Msgspec(kind))()


def write(kind, seed, count):
    format, generator = library(kind), Generator(kind, seed)
    for _ in range(count):
        session = generator.session()
        try:
            record = format.write(session)
        except Exception as error:
            yield {"error": f"{type(error).__name__}: {error}"[:200], "value": notation_of(session)}
        else:
            yield {"record": record, "value": notation_of(session), "back": to_notation(format.read(record))}


def notation_of(session):
    try:
        return to_notation(session)
    except TypeError:
        return None


def read(kind, lines):
    """Lines `{"value", "record"}`, or without a record where the other side refused. Answers what was `read` and what
    was `expected`: what the library here makes of its own record of that value."""
    format = library(kind)
    for line in lines:
        given = json.loads(line)
        session = from_notation(given["value"])
        try:
            expected = to_notation(format.read(format.write(session)))
        except Exception as error:
            yield {"refused": f"{type(error).__name__}: {error}"[:200]}
            continue
        if "record" not in given:
            yield {"expected": expected}
            continue
        try:
            found = to_notation(format.read(given["record"]))
            yield {"expected": expected, "read": found, "same": format.same(given["record"], session)}
        except Exception as error:
            yield {"expected": expected, "error": f"{type(error).__name__}: {error}"[:200]}


if __name__ == "__main__":
    mode, kind, *rest = sys.argv[1:]
    results = write(kind, rest[0], int(rest[1])) if mode == "write" else read(kind, sys.stdin)
    for result in results:
        sys.stdout.write(json.dumps(result, allow_nan=False) + "\n")
