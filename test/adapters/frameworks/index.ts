/** Every framework that the adapters are tested on. */
import type { AdapterApp, AdapterServer } from 'flacon/testing/adapter-suite';
import { serveExpress, serveExpress4 } from './express.ts';
import { serveNode } from './node.ts';

export const frameworks: Record<string, (app: AdapterApp) => Promise<AdapterServer>> = {
  node: serveNode,
  express: serveExpress,
  express4: serveExpress4,
};
