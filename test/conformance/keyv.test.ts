import { KeyvStore } from 'flacon/stores/keyv';
import { storeSuite } from 'flacon/testing/store-suite';
import { Keyv } from 'keyv';
import { KeyvFile } from 'keyv-file';
import { afterAll, describe, it } from 'vitest';
import { sessionSuite } from '../../src/testing/session-suite.ts';
import { temporaryFolder } from '../servers/process.ts';

const folder = temporaryFolder('keyv');
afterAll(() => folder.remove());
let files = 0;

const inMemory = () => new Keyv();
const inFile = () =>
  new Keyv({ store: new KeyvFile({ filename: `${folder.path}/${++files}.msgpack`, writeDelay: 5 }) });

storeSuite({ describe, it }, { name: 'keyv, Map', create: (now) => new KeyvStore({ keyv: inMemory(), now }) });
// Keyv compares the deadlines that it was given with the clock of the machine.
storeSuite(
  { describe, it: it.concurrent },
  { name: 'keyv, file', clock: 'real', create: (now) => new KeyvStore({ keyv: inFile(), now }) },
);
sessionSuite({ describe, it }, { name: 'keyv, Map', create: (now) => new KeyvStore({ keyv: inMemory(), now }) });
sessionSuite({ describe, it }, { name: 'keyv, file', create: (now) => new KeyvStore({ keyv: inFile(), now }) });
