/** The application on Deno's own server. Prints its port. */
import { application } from './app.ts';
import { storesIn } from './on-disk.ts';

declare const Deno: {
  readonly args: readonly string[];
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response>,
  ): unknown;
};

const [directory = ''] = Deno.args;
const onListen = ({ port }: { port: number }) => console.log(`port ${port}`);
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, application(storesIn(directory)));
