/** What a browser sees of the application (app.ts), on whatever runtime it is served. */
import assert from 'node:assert/strict';
import { HttpVisitor } from '../../src/testing/http-visitor.ts';
import { type RecordedRecord, recordedCookie, recordedRecords } from './recorded.ts';

export interface Smoke {
  readonly name: string;
  /** @param url of the server, `http://127.0.0.1:PORT` */
  run(url: string): Promise<void>;
}

/** A visitor of one mount of the application. */
class Guest {
  readonly #visitor: HttpVisitor;
  readonly #mount: string;

  constructor(url: string, mount: string, visitor = new HttpVisitor(url)) {
    this.#mount = mount;
    this.#visitor = visitor;
  }

  /** Somebody else. */
  another(): Guest {
    return new Guest(this.#visitor.url, this.#mount);
  }

  get cookie(): string | undefined {
    return this.#visitor.cookies.get('session');
  }

  set cookie(value: string) {
    this.#visitor.cookies.set('session', value);
  }

  /** With a copy of the cookie. */
  twin(): Guest {
    return new Guest(this.#visitor.url, this.#mount, this.#visitor.twin());
  }

  async get(page: string, status = 200): Promise<string> {
    return (await this.answer(page, status)).text;
  }

  async answer(page: string, status = 200) {
    const answer = await this.#visitor.send(`/${this.#mount}/${page}`);
    assert.equal(answer.status, status, `${page}: ${answer.text}`);
    assert.ok(answer.complete, `${page} broke off`);
    return answer;
  }

  /** Puts a record where the session with this id is looked for. */
  async plant(sid: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const answer = await fetch(`${this.#visitor.url}/plant?sid=${sid}`, { method: 'POST', body: bytes });
    assert.equal(await answer.text(), 'planted');
  }

  /** What is in the session, but for the mark that Flask keeps in it, too. */
  async show(): Promise<Record<string, unknown>> {
    const { _permanent, ...shown } = JSON.parse(await this.get('show')) as Record<string, unknown>;
    return shown;
  }
}

/** @param mounts that keep sessions on the server */
export function smokes(mounts: readonly string[]): Smoke[] {
  return [
    ...mounts.flatMap((mount) => onServer.map(({ name, check }) => smoke(`${mount}: ${name}`, mount, check))),
    ...[...mounts, 'sealed', 'signed'].flatMap((mount) =>
      anywhere.map(({ name, check }) => smoke(`${mount}: ${name}`, mount, check)),
    ),
    ...inCookie.map(({ name, mount, check }) => smoke(`${mount}: ${name}`, mount, check)),
    ...['msgpack', 'json', 'pickle'].flatMap((format) => recordedRecords().map((record) => rewrites(format, record))),
  ];
}

type Check = (guest: Guest) => Promise<void>;

function smoke(name: string, mount: string, check: Check): Smoke {
  return { name, run: (url) => check(new Guest(url, mount)) };
}

const anywhere: readonly { name: string; check: Check }[] = [
  {
    name: 'counts visits',
    async check(guest) {
      for (const count of ['1', '2', '3']) assert.equal(await guest.get('visits'), count);
      assert.equal(await guest.another().get('visits'), '1');
    },
  },
  {
    name: 'the imported session is found across await, timers and microtasks',
    async check(guest) {
      const other = guest.another();
      await Promise.all([guest.get('imported'), other.get('visits')]);
      assert.deepEqual(await guest.show(), { timer: true, microtask: true });
      assert.deepEqual(await other.show(), { visits: 1 });
    },
  },
  {
    name: 'flashes once',
    async check(guest) {
      await guest.get('flash');
      assert.equal(await guest.get('flashes'), '[["success","Saved."]]');
      assert.equal(await guest.get('flashes'), '[]');
    },
  },
  {
    name: 'destroy ends it and clears the cookie',
    async check(guest) {
      await guest.get('visits');
      const { setCookie } = await guest.answer('destroy');
      assert.equal(setCookie.length, 1);
      assert.match(setCookie[0] ?? '', /^session=;.* Max-Age=0(;|$)/);
      assert.equal(guest.cookie, undefined);
      assert.deepEqual(await guest.show(), {});
    },
  },
  {
    name: 'a handler that throws is answered by onError',
    async check(guest) {
      assert.equal(await guest.get('fail', 500), 'RangeError');
    },
  },
  {
    name: 'a cookie that nobody made is a new visitor',
    async check(guest) {
      guest.cookie = 'x'.repeat(43);
      assert.deepEqual(await guest.show(), {});
      assert.equal(await guest.get('visits'), '1');
      assert.notEqual(guest.cookie, 'x'.repeat(43));
    },
  },
];

const onServer: readonly { name: string; check: Check }[] = [
  {
    name: 'parallel increments are all counted',
    async check(guest) {
      await guest.get('visits');
      await Promise.all(Array.from({ length: 10 }, () => guest.twin().get('increment')));
      assert.deepEqual(await guest.show(), { visits: 1, count: 10 });
    },
  },
  {
    name: 'regenerate keeps the data under another id; the old one is dead',
    async check(guest) {
      await guest.get('visits');
      const before = guest.twin();
      await guest.get('regenerate');
      assert.notEqual(guest.cookie, before.cookie);
      assert.deepEqual(await guest.show(), { visits: 1 });
      assert.deepEqual(await before.show(), {});
    },
  },
  {
    name: 'a request under way does not revive a session that was destroyed',
    async check(guest) {
      await guest.get('visits');
      const late = guest.twin();
      const underWay = late.get('increment');
      await guest.get('destroy');
      await underWay;
      assert.deepEqual(await late.show(), {});
    },
  },
  {
    name: 'what a stream writes after the headers is saved before it ends',
    async check(guest) {
      for (const visitor of [guest, guest.another()]) {
        assert.equal(await visitor.get(visitor === guest ? 'stream' : 'stream?imported'), 'first last');
        assert.deepEqual(await visitor.show(), { early: true, late: true });
      }
    },
  },
];

const inCookie: readonly { name: string; mount: string; check: Check }[] = [
  ...['sealed', 'signed'].map((mount) => ({
    name: 'a late write is refused in a stream',
    mount,
    async check(guest: Guest) {
      assert.equal(await guest.get('stream'), 'first SessionHeadersSentError');
      assert.deepEqual(await guest.show(), { early: true });
    },
  })),
  {
    name: 'the cookie is opaque, and not to be changed',
    mount: 'sealed',
    async check(guest) {
      await guest.get('set?user=%22ann%22');
      const sealed = guest.cookie ?? '';
      assert.doesNotMatch(Buffer.from(sealed, 'base64url').toString('latin1'), /ann/);
      guest.cookie = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`;
      assert.deepEqual(await guest.show(), {});
    },
  },
  {
    name: "the Set-Cookie header is Flask's, byte for byte",
    mount: 'signed',
    async check(guest) {
      const expected = recordedCookie();
      const { setCookie, headers } = await guest.answer('set?a=1');
      assert.deepEqual(setCookie, expected.set_cookie);
      assert.deepEqual([headers.vary], expected.vary);
      assert.deepEqual(await guest.show(), { a: 1 });
    },
  },
  {
    name: 'a long cookie is compressed, and read again',
    mount: 'signed',
    async check(guest) {
      const text = 'long '.repeat(400);
      await guest.get(`set?text=${encodeURIComponent(JSON.stringify(text))}`);
      assert.match(guest.cookie ?? '', /^\./);
      assert.deepEqual(await guest.show(), { text });
    },
  },
];

/** A record that Python wrote is read, changed, written in the mount's format, and read again. */
function rewrites(format: string, record: RecordedRecord): Smoke {
  return {
    name: `${format}: reads Python's ${record.name}, and writes ${format}`,
    async run(url) {
      const guest = new Guest(url, format);
      const sid = `${record.sid.slice(0, -8)}${format.padEnd(8, '0')}`;
      await guest.plant(sid, record.bytes);
      guest.cookie = sid;
      assert.deepEqual(await guest.show(), record.shown);
      await guest.get('set?added=%5B1%5D');
      assert.deepEqual(await guest.show(), { ...record.shown, added: [1] });
    },
  };
}
