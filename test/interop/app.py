"""The routes of examples/kitchen-sink in a Flask application, over flask.session; set up by the same environment variables.

Runs on Flask 3.1 with Flask-Session 0.8, and on Debian's Flask 2.2 with Flask-Session 0.3.2. Beyond the kitchen sink it has
`POST /set-typed` and `GET /typed`, for values of every Python type, in the notation of notation.py. It has no `/_raw`.
"""

import datetime as dt
import decimal
import json
import math
import os
import re
import time
import uuid

from flask import Flask, Response, abort, flash, get_flashed_messages, redirect, request, session, stream_with_context
from markupsafe import Markup
from notation import from_notation, to_notation
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server


def setting(text):
    if text.lower() in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text.lower()]
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def configure(app, env):
    for name, text in env.items():
        if name.startswith("SESSION_") and name != "SESSION_MANAGER":
            app.config[name] = setting(text)
    app.config["SECRET_KEY"] = env.get("SECRET_KEY") or None
    if env.get("SECRET_KEY_FALLBACKS"):
        app.config["SECRET_KEY_FALLBACKS"] = env["SECRET_KEY_FALLBACKS"].split(",")
    if "PERMANENT_SESSION_LIFETIME" in env:
        app.config["PERMANENT_SESSION_LIFETIME"] = dt.timedelta(seconds=int(env["PERMANENT_SESSION_LIFETIME"]))
    if "APPLICATION_ROOT" in env:
        app.config["APPLICATION_ROOT"] = env["APPLICATION_ROOT"]
    kind = env.get("SESSION_TYPE", "null").lower()
    if kind in ("null", "none"):
        return
    if kind in CLIENTS:
        CLIENTS[kind](app)
    from flask_session import Session

    Session(app)
    if kind == "sqlalchemy":
        with app.app_context():  # Flask-Session 0.3.2 leaves that to the application.
            app.config["SESSION_SQLALCHEMY"].create_all()


def redis_client(app):
    import redis

    app.config["SESSION_REDIS"] = redis.Redis.from_url(app.config["SESSION_REDIS"])


def memcached_client(app):
    host, port = re.fullmatch(r"(?:memcached?://)?([^/:]+):(\d+)/?", app.config["SESSION_MEMCACHED"]).groups()
    try:
        from pymemcache.client.base import PooledClient
    except ImportError:
        import memcache

        app.config["SESSION_MEMCACHED"] = memcache.Client([f"{host}:{port}"])
        return
    # A request has to be over when it is answered: by default this client does not wait for what `set` came to.
    app.config["SESSION_MEMCACHED"] = PooledClient((host, int(port)), max_pool_size=32, default_noreply=False)


def mongodb_client(app):
    import pymongo

    app.config["SESSION_MONGODB"] = pymongo.MongoClient(app.config["SESSION_MONGODB"])


def sqlalchemy_client(app):
    from flask_sqlalchemy import SQLAlchemy

    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["SQLALCHEMY_DATABASE_URI"]
    app.config["SESSION_SQLALCHEMY"] = SQLAlchemy(app)


def dynamodb_client(app):
    import boto3

    app.config["SESSION_DYNAMODB"] = boto3.resource(
        "dynamodb",
        endpoint_url=app.config["SESSION_DYNAMODB"],
        region_name=os.environ.get("AWS_REGION", "us-west-2"),
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
    )


def file_cache(app):
    from cachelib.file import FileSystemCache

    config = app.config
    folder, threshold = config.get("SESSION_FILE_DIR", "flask_session"), config.get("SESSION_FILE_THRESHOLD", 500)
    config["SESSION_CACHELIB"] = FileSystemCache(folder, threshold=threshold, mode=config.get("SESSION_FILE_MODE", 0o600))


CLIENTS = {
    "redis": redis_client,
    "memcached": memcached_client,
    "mongodb": mongodb_client,
    "sqlalchemy": sqlalchemy_client,
    "dynamodb": dynamodb_client,
    "cachelib": file_cache,
}

app = Flask(__name__)
configure(app, os.environ)


def answer(value=None, **headers):
    body = json.dumps({"ok": True} if value is None else value, allow_nan=False)
    return Response(body, content_type="application/json", headers=headers)


def typed(kind, value):
    return {"$type": kind, "$value": value}


def plain(v):
    """A value as examples/kitchen-sink/json.ts shows it."""
    if isinstance(v, float) and not math.isfinite(v):
        return typed("float", repr(v))
    if isinstance(v, Markup):
        return typed("markup", str(v))
    if v is None or isinstance(v, (bool, int, float, str)):
        return v
    if isinstance(v, (bytes, bytearray)):
        return typed("bytes", v.hex())
    if isinstance(v, (dt.datetime, dt.date, dt.time)):
        return typed(type(v).__name__, v.isoformat())
    if isinstance(v, dt.timedelta):
        return typed("timedelta", v.total_seconds())
    if isinstance(v, (uuid.UUID, decimal.Decimal)):
        return typed(type(v).__name__.lower(), str(v))
    if isinstance(v, (set, frozenset)):
        return typed(type(v).__name__, [plain(x) for x in v])
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if all(k is None or isinstance(k, (bool, int, float, str)) for k in v):
        return {k: plain(x) for k, x in v.items()}
    return typed("dict", [[plain(k), plain(x)] for k, x in v.items()])


def parameter(name):
    return request.args[name]  # its absence is answered with 400


def body():
    try:
        return json.loads(request.get_data())
    except ValueError:
        abort(400)


@app.errorhandler(HTTPException)
def http_error(error):
    response = answer({"error": error.code})
    response.status_code = error.code
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


@app.post("/set")
def set_value():
    key, value = parameter("key"), body()
    session[key] = value
    return answer()


@app.post("/set-typed")
def set_typed():
    key, value = parameter("key"), from_notation(body())
    session[key] = value
    return answer()


@app.get("/typed")
def get_typed():
    return answer({"session": to_notation(dict(session))})


@app.get("/get")
def get_value():
    key = parameter("key")
    return answer({"key": key, "present": key in session, "value": plain(session.get(key))})


@app.get("/all")
def get_all():
    return answer({"session": plain(dict(session))})


@app.post("/delete")
def delete():
    key = parameter("key")
    present = key in session
    if present:
        del session[key]
    return answer({"deleted": present})


@app.post("/clear")
@app.post("/destroy", endpoint="destroy")
def clear():
    session.clear()
    return answer()


@app.post("/pop")
def pop():
    return answer({"value": plain(session.pop(parameter("key"), None))})


@app.post("/update")
def update():
    values = body()
    if not isinstance(values, dict):
        abort(400)
    session.update(values)
    return answer()


@app.post("/setdefault")
def setdefault():
    key, value = parameter("key"), body()
    return answer({"value": plain(session.setdefault(key, value))})


@app.post("/permanent")
def permanent():
    value = parameter("value")
    if value not in ("true", "false"):
        abort(400)
    session.permanent = value == "true"
    return answer({"permanent": session.permanent})


@app.post("/regenerate")
def regenerate():
    can = hasattr(app.session_interface, "regenerate") and bool(session)
    if can:
        app.session_interface.regenerate(session)
    return answer({"regenerated": can})


@app.post("/nested")
def nested():
    items = session.get("nested")
    if not isinstance(items, (list, tuple)):
        return answer({"ok": False})
    items.append(len(items))
    if request.args.get("mark") == "true":
        session.modified = True
    return answer({"ok": True, "nested": plain(items)})


@app.post("/flash")
def flash_message():
    flash(body(), request.args.get("category", "message"))
    return answer()


@app.get("/flashes")
def flashes():
    return answer({"flashes": plain(get_flashed_messages(with_categories=True))})


@app.get("/untouched")
def untouched():
    return answer()


@app.get("/sid")
def sid():
    return answer({"sid": getattr(session, "sid", None)})


@app.get("/error")
def error():
    session["written_before_error"] = True
    raise RuntimeError("this view always fails")


@app.get("/abort")
def abort_with():
    code = int(parameter("code"))
    session["written_before_abort"] = True
    abort(code)


@app.get("/redirect")
def redirect_to_all():
    session["redirected"] = True
    return redirect("/all")


@app.get("/vary")
def vary():
    return answer({"seen": "a" in session}, Vary=request.args.get("value", "Accept-Encoding"))


@app.get("/stream")
def stream():
    a = session.get("a")

    def pieces():
        yield f'{{"a":{json.dumps(plain(a))},"chunks":[0'
        session["written_while_streaming"] = True
        yield ",1"
        yield ",2]}"

    return Response(stream_with_context(pieces()), content_type="application/json")


@app.post("/increment")
def increment():
    key = parameter("key")
    session[key] = (session.get(key) or 0) + 1
    return answer({"value": session[key]})


@app.post("/slow")
def slow():
    key, value, ms = parameter("key"), body(), int(parameter("ms"))
    session.get(key)
    time.sleep(ms / 1000)
    session[key] = value
    return answer()


class Quiet(WSGIRequestHandler):
    def log_request(self, *args):
        pass


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "0"))
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
