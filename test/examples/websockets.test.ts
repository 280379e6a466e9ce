/** The chat: HTTP and WebSockets share a session, in one process and in two. */
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { start, temporaryFolder } from './started.ts';
import { Visitor } from './visitor.ts';

const open: WebSocket[] = [];
afterEach(() => {
  for (const ws of open.splice(0)) ws.terminate();
});

interface Line {
  readonly from: string;
  readonly text: string;
  readonly count?: number;
}

class Chat {
  readonly closed: Promise<number>;
  readonly #ws: WebSocket;
  readonly #lines: Line[] = [];
  readonly #waiting: ((line: Line) => void)[] = [];

  constructor(url: string, visitor: Visitor) {
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    this.#ws = new WebSocket(`${url.replace('http', 'ws')}/chat`, { headers: { cookie }, origin: url });
    open.push(this.#ws);
    this.closed = new Promise((resolve, reject) => {
      this.#ws.once('close', resolve);
      this.#ws.once('error', reject);
    });
    this.#ws.on('message', (data) => {
      const line: Line = JSON.parse(String(data));
      const waiting = this.#waiting.shift();
      if (waiting) waiting(line);
      else this.#lines.push(line);
    });
  }

  next(): Promise<Line> {
    const line = this.#lines.shift();
    return line ? Promise.resolve(line) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  say(text: string): void {
    this.#ws.send(text);
  }
}

describe('one process', async () => {
  const chat = await start('websockets/server.ts');
  const signIn = async (name: string): Promise<Visitor> => {
    const visitor = new Visitor(chat.url);
    await visitor.post('/sign-in', { name });
    return visitor;
  };

  test('the page asks for a name, then shows the chat', async () => {
    const visitor = new Visitor(chat.url);
    expect((await visitor.get('/')).text).toContain('<h1>Chat</h1>');
    expect((await visitor.get('/')).text).toContain('Your name');
    const answer = await visitor.post('/sign-in', { name: 'Ada' });
    expect(answer.status).toBe(303);
    expect((await visitor.follow(answer)).text).toContain('Sign out');
    expect((await visitor.get('/chat.js')).text).toContain('new WebSocket');
  });

  test('what one says, all hear, under the name of the session', async () => {
    const ada = new Chat(chat.url, await signIn('Ada'));
    const grace = new Chat(chat.url, await signIn('Grace'));
    expect(await ada.next()).toEqual({ from: 'chat', text: 'Welcome, Ada.' });
    expect(await grace.next()).toEqual({ from: 'chat', text: 'Welcome, Grace.' });
    ada.say('hello');
    expect(await ada.next()).toEqual({ from: 'Ada', text: 'hello', count: 1 });
    expect(await grace.next()).toEqual({ from: 'Ada', text: 'hello', count: 1 });
  });

  test('messages of two windows, all at once, are counted in one session', async () => {
    const visitor = await signIn('Ada');
    const windows = [new Chat(chat.url, visitor), new Chat(chat.url, visitor)];
    for (const window of windows) await window.next();
    for (let i = 0; i < 20; i++) windows[i % 2]?.say(String(i));
    for (let i = 0; i < 20; i++) await windows[0]?.next();
    windows[0]?.say('last');
    expect(await windows[0]?.next()).toEqual({ from: 'Ada', text: 'last', count: 21 });
  });

  test('signing out closes every window, and a stolen cookie opens none', async () => {
    const visitor = await signIn('Ada');
    const thief = visitor.copy();
    const windows = [new Chat(chat.url, visitor), new Chat(chat.url, visitor)];
    for (const window of windows) await window.next();
    await visitor.post('/sign-out');
    expect(await Promise.all(windows.map(({ closed }) => closed))).toEqual([4401, 4401]);
    expect(await new Chat(chat.url, thief).closed).toBe(4403);
  });

  test('another path is no chat', async () => {
    await expect(new Chat(`${chat.url}/other`, await signIn('Ada')).closed).rejects.toThrow();
  });
});

test('two processes over one folder: signing out in one closes the sockets of the other', async () => {
  const env = { DATA_DIR: temporaryFolder(), CHECK_EVERY: '0.2' };
  const [first, second] = [await start('websockets/server.ts', env), await start('websockets/server.ts', env)];
  const visitor = new Visitor(first.url);
  await visitor.post('/sign-in', { name: 'Ada' });
  const chat = new Chat(second.url, visitor);
  expect(await chat.next()).toEqual({ from: 'chat', text: 'Welcome, Ada.' });
  await visitor.post('/sign-out');
  expect(await chat.closed).toBe(4401);
});

test('it stops although sockets are open', async () => {
  const server = await start('websockets/server.ts');
  const visitor = new Visitor(server.url);
  await visitor.post('/sign-in', { name: 'Ada' });
  const chat = new Chat(server.url, visitor);
  await chat.next();
  expect(await server.stop()).toBe(0);
  expect(await chat.closed).toBe(1001);
});
