/** A browser as far as tests over HTTP need one: it keeps cookies, and follows redirects only when told. */

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The Set-Cookie headers. */
  readonly setCookies: readonly string[];
}

export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  /** The last page that had a form. */
  #page = '';

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  /** The same visitor at the same server after a restart, or as somebody who stole the cookies. */
  copy(url = this.#url): Visitor {
    const copy = new Visitor(url, this.#headers);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    copy.#page = this.#page;
    return copy;
  }

  get(path: string): Promise<Answer> {
    return this.#request(path, {});
  }

  post(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#request(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  /** A request without a body. */
  send(method: string, path: string): Promise<Answer> {
    return this.#request(path, { method });
  }

  /** Sends a form of the page that was seen last. */
  submit(path: string, fields: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const csrf = /name="csrf" value="([^"]+)"/.exec(this.#page)?.[1];
    return this.post(path, { ...(csrf === undefined ? {} : { csrf }), ...fields });
  }

  /** The page that an answer sends the visitor to. */
  follow(answer: Answer): Promise<Answer> {
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`no redirect, but ${answer.status}: ${answer.text.slice(0, 500)}`);
    return this.get(location);
  }

  async #request(path: string, init: RequestInit): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(path, this.#url), {
      ...init,
      redirect: 'manual',
      headers: { ...this.#headers, ...(cookie && { cookie }) },
    });
    const setCookies = response.headers.getSetCookie();
    for (const text of setCookies) this.#keep(text);
    const text = await response.text();
    if (text.includes('name="csrf"')) this.#page = text;
    return { status: response.status, headers: response.headers, text, setCookies };
  }

  #keep(setCookie: string): void {
    const [pair = '', ...attributes] = setCookie.split(/;\s*/);
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals);
    const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice('expires='.length);
    const isOver =
      attributes.some((attribute) => /^max-age=0$/i.test(attribute)) || Date.parse(expires ?? '') < Date.now();
    if (isOver) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(equals + 1));
  }
}
