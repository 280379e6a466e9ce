/** Replies, however they are cut up, and servers that answer what no server answers. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { MemcachedError, MemcachedStore } from 'flacon/stores/memcached';
import { describe, expect, test } from 'vitest';
import { flag, type Reply, ReplyReader } from '../../../src/stores/memcached/reply.ts';
import { startBabbler, startPeer } from '../../servers/memcached-peer.ts';
import { temporaryFolder, until } from '../../servers/process.ts';

const later = () => Date.now() + 60_000;
const one = Buffer.from('one');

/** The replies, and the error that ended them. */
function readAll(chunks: readonly Uint8Array[]): { replies: Reply[]; error: unknown } {
  const replies: Reply[] = [];
  const reader = new ReplyReader((reply) => replies.push(reply));
  try {
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    return { replies, error: undefined };
  } catch (error) {
    return { replies, error };
  }
}

/** In pieces of these sizes. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...chunks, bytes.subarray(at)];
}

describe('replies', () => {
  const value = fc.uint8Array({ maxLength: 300 });
  const reply = fc.oneof(
    value.map((bytes) => ({ line: `VA ${bytes.length} t60 c7 O1`, bytes })),
    fc.constantFrom('HD', 'EN', 'HD c8 O2', 'NS', 'EX O3', 'NF', 'MN', 'SERVER_ERROR out of memory').map((line) => ({
      line,
      bytes: undefined,
    })),
  );

  test('are the same whatever way they are cut up, and values keep every byte', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 20 }), fc.array(fc.nat(40)), (sent, sizes) => {
        const parts = sent.flatMap(({ line, bytes }) => [
          Buffer.from(`${line}\r\n`),
          ...(bytes ? [bytes, Buffer.from('\r\n')] : []),
        ]);
        const { replies, error } = readAll(cut(Buffer.concat(parts), sizes));
        expect(error).toBeUndefined();
        expect(replies.map(({ line }) => line)).toEqual(sent.map(({ line }) => line));
        replies.forEach((got, i) => {
          const { bytes } = sent[i]!;
          expect(got.value && Buffer.from(got.value)).toEqual(bytes && Buffer.from(bytes));
          // Of its own: a record keeps no larger buffer alive.
          if (got.value) expect(got.value.buffer.byteLength).toBe(got.value.length);
        });
      }),
    );
  });

  test('that are none give a documented error, the same for every way they are cut up', () => {
    const token = fc.constantFrom(
      'VA ',
      'HD',
      'EN',
      '\r\n',
      '\n',
      '\r',
      ' ',
      '5',
      '999999999',
      '-1',
      't60',
      'c7',
      'O1',
      '\0',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(token, { maxLength: 30 }).map((tokens) => Buffer.from(tokens.join(''), 'latin1')),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(20)), (sent, sizes) => {
        const whole = readAll([sent]);
        if (whole.error !== undefined) {
          expect(whole.error).toBeInstanceOf(MemcachedError);
          expect(whole.error).toMatchObject({ code: 'EPROTOCOL' });
        }
        const inPieces = readAll(cut(sent, sizes));
        expect(inPieces.replies).toEqual(whole.replies);
        expect(String(inPieces.error)).toBe(String(whole.error));
      }),
      { numRuns: 500 },
    );
  });

  test('a length reserves nothing, and no line grows for ever', () => {
    expect(readAll([Buffer.from('VA 100000000 O1\r\nabc')])).toEqual({ replies: [], error: undefined });
    expect(readAll([Buffer.from('VA 999999999 O1\r\n')]).error).toMatchObject({ code: 'EPROTOCOL' });
    expect(readAll(Array.from({ length: 20 }, () => Buffer.alloc(1000, 'x'))).error).toMatchObject({
      code: 'EPROTOCOL',
    });
  });

  test('flags', () => {
    expect(flag('VA 2 t-1 c16 O10', 't')).toBe('-1');
    expect(flag('VA 2 t-1 c16 O10', 'c')).toBe('16');
    expect(flag('VA 2 t-1 c16 O10', 'O')).toBe('10');
    expect(flag('HD W O', 'O')).toBe('');
    expect(flag('HD', 't')).toBeUndefined();
  });
});

const CODES = ['ECONNECTION', 'ETIMEDOUT', 'EAUTH', 'EPROTOCOL', 'ESERVER'];

describe('servers that make no sense', () => {
  /** Every verb ends: with one of its answers, or with a documented error. */
  async function expectDocumented(address: string): Promise<void> {
    const store = new MemcachedStore({ servers: address, timeout: 100 });
    const ends = await Promise.allSettled([
      store.read('k'),
      store.write('k', one, later(), undefined),
      store.write('k', one, later(), one),
      store.write('k', null, later(), one),
      store.touch('k', later()),
      store.delete('k'),
    ]);
    for (const end of ends) {
      if (end.status === 'fulfilled') continue;
      expect(end.reason).toBeInstanceOf(MemcachedError);
      expect(end.reason.code).toBeOneOf(CODES);
    }
    store.close();
  }

  test('from the first byte on', async () => {
    const token = fc.constantFrom(
      'STAT ',
      'item_size_max 7',
      'END',
      'ERROR',
      'VA 3',
      'HD',
      '\r\n',
      '\n',
      'STORED',
      ' ',
      'x',
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(token, { maxLength: 12 }).map((tokens) => Buffer.from(tokens.join(''))),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), async (sent, thenEnd) => {
        const peer = await startBabbler(sent, thenEnd);
        await expectDocumented(peer.address);
        await until(() => peer.open === 0, 'the connection is closed');
        await peer.stop();
      }),
      { numRuns: 40 },
    );
  });

  test('after the greeting', async () => {
    const token = fc.constantFrom(
      'VA 3',
      'VA 0',
      'HD',
      'EN',
      'NS',
      'EX',
      'NF',
      ' t5',
      ' c1',
      ' c0',
      ' O1',
      ' O2',
      '\r\n',
      'abc',
      'SERVER_ERROR x',
      'CLIENT_ERROR',
      'MN',
    );
    const answers = fc.oneof(
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.array(token, { maxLength: 16 }).map((tokens) => tokens.join('')),
    );
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const peer = await startPeer(() => answer);
        await expectDocumented(peer.address);
        await peer.stop();
      }),
      { numRuns: 60 },
    );
  });

  test('an answer to another command is an error, never somebody else’s record', async () => {
    const peer = await startPeer(() => 'VA 3 t60 c1 O77\r\nhis\r\n');
    const store = new MemcachedStore({ servers: peer.address });
    await expect(store.read('k')).rejects.toMatchObject({ code: 'EPROTOCOL' });
    store.close();
    await peer.stop();
  });

  test('more answers than commands end the connection', async () => {
    let extra = '';
    const peer = await startPeer((command) => {
      const opaque = /O\d+/.exec(command)![0];
      return `EN ${opaque}\r\n${extra}`;
    });
    const store = new MemcachedStore({ servers: peer.address });
    expect(await store.read('k')).toBeUndefined();
    extra = 'VA 3 t60 c1 O2\r\nhis\r\n';
    expect(await store.read('k')).toBeUndefined();
    await until(() => peer.open === 0, 'the connection is closed');
    extra = '';
    expect(await store.read('k')).toBeUndefined();
    store.close();
    await peer.stop();
  });

  test('a refused command ends the connection, since its data may have been taken for commands', async () => {
    let refuse = true;
    const peer = await startPeer((command) =>
      refuse ? 'CLIENT_ERROR bad data chunk\r\nERROR\r\n' : `HD c5 ${/O\d+/.exec(command)![0]}\r\n`,
    );
    const store = new MemcachedStore({ servers: peer.address });
    await expect(store.write('k', one, later(), undefined)).rejects.toMatchObject({
      code: 'EPROTOCOL',
      message: `${peer.address} refused a command: CLIENT_ERROR bad data chunk`,
    });
    refuse = false;
    expect(await store.write('k', one, later(), undefined)).toBe('written');
    expect(peer.open).toBe(1);
    store.close();
    await peer.stop();
  });

  test('a failure of the server fails that command alone', async () => {
    let first = true;
    const peer = await startPeer((commands) =>
      commands
        .split('\r\n')
        .filter((line) => line)
        .map((line) => {
          const failing = first;
          first = false;
          return failing ? 'SERVER_ERROR out of memory\x07\r\n' : `EN ${/O\d+/.exec(line)![0]}\r\n`;
        })
        .join(''),
    );
    const store = new MemcachedStore({ servers: peer.address });
    const [failed, absent] = await Promise.allSettled([store.read('k'), store.read('l')]);
    expect(failed).toMatchObject({
      reason: { code: 'ESERVER', message: `${peer.address} answered: SERVER_ERROR out of memory?` },
    });
    expect(absent).toMatchObject({ status: 'fulfilled', value: undefined });
    expect(peer.open).toBe(1);
    store.close();
    await peer.stop();
  });

  test('others that write all the time: the update gives up, and says so', async () => {
    const peer = await startPeer((commands) =>
      commands
        .split('\r\n')
        .filter((line) => line.startsWith('m'))
        .map((line) => {
          const opaque = /O\d+/.exec(line)![0];
          return line.startsWith('mg') ? `VA 3 t60 c9 ${opaque}\r\none\r\n` : `EX ${opaque}\r\n`;
        })
        .join(''),
    );
    const store = new MemcachedStore({ servers: peer.address });
    await expect(store.write('k', Buffer.from('two'), later(), one)).rejects.toMatchObject({
      code: 'ERR_SESSION_STORE',
    });
    store.close();
    await peer.stop();
  });

  test('old ones, which answer the end of a miss alone, and those that know no meta commands', async () => {
    const old = await startPeer(() => 'EN\r\n');
    const store = new MemcachedStore({ servers: old.address });
    expect(await store.read('k')).toBeUndefined();
    store.close();
    await old.stop();
    const older = await startPeer(() => 'ERROR\r\n');
    const other = new MemcachedStore({ servers: older.address });
    await expect(other.read('k')).rejects.toMatchObject({ code: 'EPROTOCOL' });
    other.close();
    await older.stop();
  });
});

test('a server at the path of a socket', async () => {
  const folder = temporaryFolder('socket');
  const path = join(folder.path, 'memcached.sock');
  const server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      const opaque = /O\d+/.exec(chunk.toString());
      socket.write(opaque ? `EN ${opaque[0]}\r\n` : 'END\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  for (const options of [{ servers: path }, { url: `memcached://${path}` }]) {
    const store = new MemcachedStore(options);
    expect(await store.read('k')).toBeUndefined();
    store.close();
  }
  await new Promise((resolve) => server.close(resolve));
  folder.remove();
});
