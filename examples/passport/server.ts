/** Sessions in the embedded store, or in a sealed cookie where SECRET_KEY (32 bytes or more) is set. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.ts';

const { SECRET_KEY: secretKey, PORT } = process.env;
const server = createServer(createApp(secretKey ? { store: 'cookie', secretKey } : {}));

server.listen(Number(PORT || 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => {
  server.close(() => process.exit());
  server.closeIdleConnections();
});
