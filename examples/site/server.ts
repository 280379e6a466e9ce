/** `npm start`: a small web site. See settings.ts for what the environment can change. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.ts';
import { settingsFrom } from './settings.ts';
import { Users } from './users.ts';

const settings = settingsFrom(process.env);
const users = new Users(settings.dataFolder);
const server = createServer(createApp(settings, users));

server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error;
  console.error(`Port ${settings.port} is taken. PORT=3001 npm start takes another one, PORT=0 any that is free.`);
  process.exit(1);
});

server.listen(settings.port, settings.host, () => {
  const { address, family, port } = server.address() as AddressInfo;
  console.log(`listening on http://${family === 'IPv6' ? `[${address}]` : address}:${port}`);
});

/** Requests under way are answered, then everything is closed and the process ends by itself. */
function stop(): void {
  server.close(async () => {
    users.close();
    await settings.closeStore();
  });
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), 5000).unref();
}

process.once('SIGTERM', stop);
process.once('SIGINT', stop);
