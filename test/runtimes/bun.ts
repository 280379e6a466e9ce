/** The application on Bun's own server. Prints its port. */
import { embeddedStore } from 'flacon/stores/embedded';
import { application } from './app.ts';

declare const Bun: {
  readonly argv: readonly string[];
  serve(options: { port: number; hostname: string; fetch(request: Request): Promise<Response> }): {
    readonly port: number;
  };
};

const [, , directory = ''] = Bun.argv;
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: application(embeddedStore({ directory })) });
console.log(`port ${server.port}`);
