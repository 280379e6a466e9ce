/** The application on Bun's own server. Prints its port. */
import { application } from './app.ts';
import { storesIn } from './on-disk.ts';

declare const Bun: {
  readonly argv: readonly string[];
  serve(options: { port: number; hostname: string; fetch(request: Request): Promise<Response> }): {
    readonly port: number;
  };
};

const [, , directory = ''] = Bun.argv;
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: application(storesIn(directory)) });
console.log(`port ${server.port}`);
