/**
 * A server that speaks MongoDB's protocol: mongo-java-server, in memory. It does every command as one step, keeps unique
 * indexes, and takes the index that expires documents without ever deleting by it. It knows no users.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ensureBinary,
  freePort,
  isListening,
  ServerMissing,
  type ServerProcess,
  startProcess,
  type TestServer,
} from './process.ts';

export interface StartedMongodb extends TestServer {
  readonly port: number;
  readonly process: ServerProcess;
}

/** Whether `MONGODB_URL` points to a real one. */
export const isReal = Boolean(process.env.MONGODB_URL);

/** The server that `MONGODB_URL` names, or one that is started for the caller. Its databases are shared: use names of your own. */
export async function startMongodb(): Promise<TestServer> {
  const url = process.env.MONGODB_URL;
  return url ? { url, stop: async () => {} } : startOwnMongodb();
}

/** One that may be stopped and paused: always started here. It forgets everything when it ends. */
export async function startOwnMongodb(at?: number): Promise<StartedMongodb> {
  const java = await ensureBinary('java', 'default-jdk-headless', { variable: 'MONGODB_URL' });
  const folder = await built();
  const port = at ?? (await freePort());
  const server = await startProcess({
    command: java,
    // For a process that lives for seconds.
    args: ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx512m', '-cp', classPath(folder), 'Server', String(port)],
    ready: () => isListening(port),
  });
  return { url: `mongodb://127.0.0.1:${port}`, port, process: server, stop: () => server.stop() };
}

const SOURCE = fileURLToPath(new URL('./mongodb/', import.meta.url));

/** Test files run side by side: one builds, the others wait for the lock. The folder is named when it is complete. */
const BUILD = `
[ -e "$FOLDER" ] && exit
rm -rf "$FOLDER.new"
"$MVN" --quiet --batch-mode --strict-checksums -f "$SOURCE/pom.xml" dependency:copy-dependencies -DoutputDirectory="$FOLDER.new/lib"
"$JAVAC" -cp "$FOLDER.new/lib/*" -d "$FOLDER.new/classes" "$SOURCE/Server.java"
mv "$FOLDER.new" "$FOLDER"
`;

/** The folder of the libraries and the class, outside of the repository, under a name that says what it was made from. */
async function built(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of ['pom.xml', 'Server.java']) hash.update(readFileSync(join(SOURCE, file)));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'flacon');
  const folder = join(cache, `mongodb-server-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  const variable = 'MONGODB_URL';
  const JAVAC = await ensureBinary('javac', 'default-jdk-headless', { variable });
  const MVN = await ensureBinary('mvn', 'maven', { variable });
  mkdirSync(cache, { recursive: true });
  const env = { ...process.env, FOLDER: folder, SOURCE, MVN, JAVAC };
  const failure = await new Promise<string>((resolve) => {
    execFile('flock', [join(cache, 'mongodb-server.lock'), 'sh', '-ec', BUILD], { env }, (error, stdout, stderr) =>
      resolve(error ? (stdout + stderr).trim().split('\n')[0] || error.message : ''),
    );
  });
  if (!failure) return folder;
  throw new ServerMissing(`no mongo-java-server from Maven Central, and ${variable} is not set: ${failure}`);
}

function classPath(folder: string): string {
  return [join(folder, 'lib', '*'), join(folder, 'classes')].join(delimiter);
}
