/** Of lusca, what the tests use. */
declare module 'lusca' {
  import type { RequestHandler } from 'express';

  const lusca: { csrf(options?: { secret?: string }): RequestHandler };
  export default lusca;
}
