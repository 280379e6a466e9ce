/**
 * A chat: signing in over HTTP, talking over a WebSocket, with one session for both. Signing out closes the sockets of all
 * of the visitor's pages; those that another process serves, within CHECK_EVERY seconds.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { createSessionInterface } from 'flacon';
import { sessions } from 'flacon/adapters/express';
import { socketSessions } from 'flacon/adapters/ws';
import { embeddedStore } from 'flacon/stores/embedded';
import { WebSocketServer } from 'ws';
import { chat } from './chat.ts';

declare module 'flacon' {
  interface SessionData {
    name: string;
    /** How many messages the visitor has written. */
    written: number;
  }
}

const { CHECK_EVERY = '30', DATA_DIR = '.flacon', PORT = '3000' } = process.env;
const web = createSessionInterface({ store: embeddedStore({ directory: DATA_DIR }) });

const app = express();
app.disable('x-powered-by');
app.use(sessions(web));
app.use(express.urlencoded({ extended: false }));

app.get('/', (req, res) => {
  res.sendFile(join(import.meta.dirname, req.session.has('name') ? 'chat.html' : 'sign-in.html'));
});
app.get('/chat.js', (_req, res) => res.sendFile(join(import.meta.dirname, 'chat.js')));

app.post('/sign-in', (req, res) => {
  // Whoever knew the id before must not be signed in with it.
  req.session.regenerate();
  req.session.name = String(req.body.name ?? '').slice(0, 30) || `guest-${randomUUID().slice(0, 4)}`;
  res.redirect(303, '/');
});

app.post('/sign-out', (req, res) => {
  req.session.destroy();
  res.redirect(303, '/');
});

const server = createServer(app);
const wss = new WebSocketServer({ noServer: true, path: '/chat', maxPayload: 1000 });
const sockets = socketSessions(web, { checkEvery: Number(CHECK_EVERY) });
server.on('upgrade', sockets.upgrade(wss, chat(wss)));

server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

const stop = () => {
  // A server does not close sockets that were upgraded.
  for (const ws of wss.clients) ws.close(1001, 'going away');
  server.close(() => process.exit());
  server.closeIdleConnections();
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
