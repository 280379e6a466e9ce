/**
 * The other side of the `mongodb` driver, played by the test: it records every command, byte for byte, and answers what the
 * test says. For what no server here would show: the exact commands, servers that refuse, and what happens between two commands.
 */
import { createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';

export interface Command {
  /** Its name: `find`, `update`, … */
  readonly name: string;
  /** As it was sent, but for what the driver adds to every command: `lsid`, `$db` and the like. */
  readonly body: BSON.Document;
  /** The whole message. */
  readonly bytes: Buffer;
}

/** A document to answer, or what becomes of the connection. `ok: 1` is added unless it says otherwise. */
export type Answer = BSON.Document | 'cut' | 'silence';

export interface Peer {
  readonly url: string;
  /** Without those by which the driver keeps in touch. */
  readonly commands: readonly Command[];
  readonly names: readonly string[];
  /** Connections that are open now. */
  readonly open: number;
  close(): Promise<void>;
}

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;

const HELLO = {
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
};

/** What a server says that has done what it was told, and found one document. */
const DONE: Readonly<Record<string, BSON.Document>> = {
  createIndexes: {},
  update: { n: 1, nModified: 1 },
  delete: { n: 1 },
  findAndModify: { value: null },
  find: { cursor: { id: 0n, ns: 'flask_session.sessions', firstBatch: [] } },
};

/** @param answer undefined: as a server that has found what it was to find, and nothing to read */
export async function startPeer(
  answer: (command: Command) => Answer | undefined | Promise<Answer | undefined> = () => undefined,
): Promise<Peer> {
  const commands: Command[] = [];
  const sockets = new Set<Socket>();

  async function reply(message: Buffer): Promise<BSON.Document | 'cut' | 'silence'> {
    const body = bodyOf(message);
    const name = Object.keys(body)[0]!;
    if (/^(?:hello|ismaster)$/i.test(name)) return HELLO;
    if (['ping', 'endSessions'].includes(name)) return {};
    const own = Object.entries(body).filter(([key]) => !['lsid', '$db', '$readPreference', 'txnNumber'].includes(key));
    const command = { name, body: Object.fromEntries(own), bytes: message };
    commands.push(command);
    return (await answer(command)) ?? DONE[name] ?? { ok: 0, code: 59, errmsg: `no such command: '${name}'` };
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let pending = Buffer.alloc(0);
    socket.on('data', async (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
        const message = Buffer.from(pending.subarray(0, pending.readInt32LE(0)));
        pending = pending.subarray(message.length);
        const answered = await reply(message);
        if (answered === 'cut') socket.destroy();
        else if (answered !== 'silence' && !socket.destroyed) socket.write(frame(message, { ok: 1, ...answered }));
      }
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });

  return {
    url: `mongodb://127.0.0.1:${port}`,
    commands,
    get names() {
      return commands.map(({ name }) => name);
    },
    get open() {
      return sockets.size;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An error as servers report it for a write: in a reply that is otherwise fine. */
export function writeError(code: number, errmsg: string): BSON.Document {
  return { n: 0, writeErrors: [{ index: 0, code, errmsg }] };
}

/** What a `find` finds. */
export function found(...documents: BSON.Document[]): BSON.Document {
  return { cursor: { id: 0n, ns: 'flask_session.sessions', firstBatch: documents } };
}

function bodyOf(message: Buffer): BSON.Document {
  if (message.readInt32LE(12) === OP_QUERY) {
    const name = message.indexOf(0, HEADER + 4);
    return BSON.deserialize(message.subarray(name + 9));
  }
  let body: BSON.Document = {};
  for (let at = HEADER + 4; at < message.length; ) {
    const kind = message[at++];
    const size = message.readInt32LE(at);
    if (kind === 0) body = { ...BSON.deserialize(message.subarray(at, at + size)), ...body };
    else Object.assign(body, sequenceOf(message.subarray(at + 4, at + size)));
    at += size;
  }
  return body;
}

/** A list of documents that is sent beside the body. */
function sequenceOf(section: Buffer): BSON.Document {
  const end = section.indexOf(0);
  const documents: BSON.Document[] = [];
  for (let at = end + 1; at < section.length; at += section.readInt32LE(at)) {
    documents.push(BSON.deserialize(section.subarray(at, at + section.readInt32LE(at))));
  }
  return { [section.toString('utf8', 0, end)]: documents };
}

function frame(request: Buffer, document: BSON.Document): Buffer {
  const legacy = request.readInt32LE(12) === OP_QUERY;
  const header = Buffer.alloc(legacy ? HEADER + 20 : HEADER + 5);
  const body = BSON.serialize(document);
  header.writeInt32LE(header.length + body.length, 0);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(legacy ? OP_REPLY : OP_MSG, 12);
  if (legacy) header.writeInt32LE(1, HEADER + 16);
  return Buffer.concat([header, body]);
}
