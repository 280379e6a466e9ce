/** What the adapter suite asks of a framework: to serve one handler, in the framework's own way. */
import type { Session } from '../core/session.ts';
import type { SessionInterface } from '../core/session-interface.ts';

/** An application for one test. */
export interface AdapterApp {
  /**
   * One, or two: then the first is set up before the second, under the names `session` and `second` (the property of a
   * request, the key of a context, …).
   */
  readonly sessions: readonly SessionInterface[];
  /** The path of a sub-application that has the sessions and the handler, and nothing else has; `''`: the application itself. */
  readonly mount: string;
  /** Whether the framework is to believe `X-Forwarded-Proto`. */
  readonly trustProxy: boolean;
  /** Whether responses are to be compressed, by what the framework's users take for it. */
  readonly compress: boolean;
  /** Serves every method and path. What it throws is left to the framework's own error handling, which answers 500. */
  handle(request: AdapterRequest): Promise<AdapterAnswer>;
}

export interface AdapterRequest {
  readonly method: string;
  /** Without the mount and the query. */
  readonly path: string;
  /** In the framework's own way. Asking for a session is no use of it. */
  session(name?: 'session' | 'second'): Session;
  /** The body's text, read in the framework's own way. */
  body(): Promise<string>;
  /** Sends `103 Early Hints` with this `Link`, through whatever the framework or its server has for it. */
  earlyHints(link: string): void | Promise<void>;
}

/** To be turned into the framework's own kind of answer. */
export interface AdapterAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Text and bytes at once, an iterable piece by piece (what it throws breaks the response off). None: an empty body. */
  readonly body?: string | Uint8Array | AsyncIterable<string>;
  /** A redirect to this place, made as the framework makes one. */
  readonly redirect?: string;
  /** The path of a file, sent as the framework sends one. */
  readonly file?: string;
}

/** A server that listens. */
export interface AdapterServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}
