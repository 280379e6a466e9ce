/** A browser in front of a handler of the Fetch API, without a server in between. */

type Handler = (request: Request) => Response | Promise<Response>;

export class WebVisitor {
  readonly cookies = new Map<string, string>();
  readonly #handler: Handler;

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  async send(path = '/', init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) {
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    }
    const response = await this.#handler(new Request(new URL(path, 'http://localhost'), { ...init, headers }));
    for (const text of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
      if (/; Max-Age=0(;|$)/.test(text)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  async text(path = '/', init: RequestInit = {}): Promise<string> {
    return (await this.send(path, init)).text();
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
