/** A browser without JavaScript: it keeps cookies, fills in the forms of a page, and follows redirects only when told. */

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The Set-Cookie headers. */
  readonly setCookies: readonly string[];
  readonly path: string;
}

/** Robots are answered without streaming, and whoever has no name is taken for one. */
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param headers of every request: a proxy in front */
  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  /** Somebody who copied the cookies. */
  copy(): Browser {
    const copy = new Browser(this.#url, this.#headers);
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.send(path, { headers });
  }

  post(
    path: string,
    body: NonNullable<RequestInit['body']> = '',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Page> {
    return this.send(path, { method: 'POST', body, headers });
  }

  /** Presses the button of that name. */
  submit(page: Page, button: string, fields: Readonly<Record<string, string>> = {}): Promise<Page> {
    const form = [...page.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].find(([, , inside]) =>
      inside?.includes(`>${button}</button>`),
    );
    if (!form) throw new Error(`no form with the button ${button} at ${page.path} (${page.status}):\n${page.text}`);
    const action = unescaped(/ action="([^"]*)"/.exec(form[1] as string)?.[1] ?? '');
    const isMultipart = /enctype="multipart/i.test(form[1] as string);
    const data = isMultipart ? new FormData() : new URLSearchParams();
    for (const [input] of (form[2] as string).matchAll(/<input[^>]*>/g)) {
      const name = / name="([^"]*)"/.exec(input)?.[1];
      if (name && input.includes('type="hidden"')) {
        data.set(unescaped(name), unescaped(/ value="([^"]*)"/.exec(input)?.[1] ?? ''));
      }
    }
    for (const [name, value] of Object.entries(fields)) data.set(name, value);
    return this.post(new URL(action || page.path, new URL(page.path, this.#url)).href, data);
  }

  /** The page that an answer sends the visitor to. */
  follow(page: Page): Promise<Page> {
    const location = page.headers.get('location');
    if (location === null) throw new Error(`no redirect, but ${page.status}: ${page.text.slice(0, 500)}`);
    return this.get(location);
  }

  async send(path: string, init: RequestInit): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const url = new URL(path, this.#url);
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'user-agent': USER_AGENT,
        origin: this.#url,
        ...this.#headers,
        ...init.headers,
        ...(cookie && { cookie }),
      },
    });
    const setCookies = response.headers.getSetCookie();
    for (const text of setCookies) this.#keep(text);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, setCookies, path: url.pathname + url.search };
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

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
