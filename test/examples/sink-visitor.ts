/** A visitor of the kitchen sink: JSON in and out, cookies kept as a browser would. */

export interface SinkAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
  readonly json: any;
  readonly setCookies: readonly string[];
}

export class SinkVisitor {
  /** The value of the session's cookie. */
  cookie: string | undefined;
  readonly #url: string;

  constructor(url: string, cookie?: string) {
    this.#url = url;
    this.cookie = cookie;
  }

  /** Somebody else with the same cookie. */
  copy(): SinkVisitor {
    return new SinkVisitor(this.#url, this.cookie);
  }

  get(path: string, init: RequestInit = {}): Promise<SinkAnswer> {
    return this.send(path, init);
  }

  post(path: string, body?: unknown): Promise<SinkAnswer> {
    return this.send(path, { method: 'POST', body: body === undefined ? null : JSON.stringify(body) });
  }

  async send(path: string, init: RequestInit): Promise<SinkAnswer> {
    const headers = { ...(this.cookie === undefined ? {} : { Cookie: `session=${this.cookie}` }), ...init.headers };
    const response = await fetch(this.#url + path, { redirect: 'manual', ...init, headers });
    const setCookies = response.headers.getSetCookie();
    for (const cookie of setCookies) {
      const [, value] = /^session=([^;]*)/.exec(cookie) ?? [];
      this.cookie = /; Max-Age=0\b/.test(cookie) ? undefined : value;
    }
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json' && text !== '';
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
      setCookies,
    };
  }

  /** What the session holds, but for Flask's own mark of a permanent one. */
  async data(): Promise<Record<string, unknown>> {
    const { _permanent, ...data } = (await this.get('/all')).json.session;
    return data;
  }
}
