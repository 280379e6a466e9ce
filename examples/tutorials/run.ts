/** `app.run()`: serves an application until it is told to stop. PORT is Flask's 5000 by default; 0 takes a free one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';

export function run(app: Express): void {
  const server = createServer(app);
  server.listen(Number(process.env.PORT || 5000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  const stop = () => {
    // Each session is saved before its response: a connection to a database that is still open has nothing left to do.
    server.close(() => process.exit());
    server.closeIdleConnections();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
