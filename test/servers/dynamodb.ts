/** DynamoDB: dynalite, a server in JavaScript that speaks its protocol; or what `DYNAMODB_URL` points to. */
import { createRequire } from 'node:module';
import { freePort, isListening, type ServerProcess, startProcess, type TestServer } from './process.ts';

const require = createRequire(import.meta.url);

export interface DynamodbServer extends TestServer {
  /** Absent where `DYNAMODB_URL` points to a running server. */
  readonly process?: ServerProcess;
  readonly port: number;
}

export interface StartedDynamodb extends DynamodbServer {
  readonly process: ServerProcess;
}

/** The server that `DYNAMODB_URL` names, or one that is started for the caller. */
export async function startDynamodb(): Promise<DynamodbServer> {
  const url = process.env.DYNAMODB_URL;
  if (url) return { url, port: Number(new URL(url).port || 443), stop: async () => {} };
  return startOwnDynamodb();
}

/** One that may be stopped and paused: always started here. Its tables are in memory. */
export async function startOwnDynamodb(port?: number): Promise<StartedDynamodb> {
  const at = port ?? (await freePort());
  const script = require.resolve('dynalite/cli.js');
  const options = ['--createTableMs', '0', '--deleteTableMs', '0'];
  const started = await startProcess({
    command: process.execPath,
    args: [script, '--host', '127.0.0.1', '--port', String(at), ...options],
    ready: () => isListening(at),
  });
  return { url: `http://127.0.0.1:${at}`, port: at, process: started, stop: () => started.stop() };
}
