/**
 * Sessions for the tests of an application: a visitor who has one already, in one line.
 *
 * ```ts
 * await supertest(app).get('/account').set(await signedIn(web, { user }));
 * await app.inject({ url: '/account', headers: await signedIn(web, { user }) });
 * await app.request('/account', { headers: await signedIn(web, { user }) });
 * await context.addCookies(await browserCookies(web, { user }, 'http://localhost:3000')); // Playwright
 * ```
 *
 * `web` is what the application gave its `sessions(…)`: the interface, or the options with the very store.
 */
import { createSessionInterface, type SessionOptions } from '../core/options.ts';
import type { Session } from '../core/session.ts';
import { SessionInterface } from '../core/session-interface.ts';
import { Visitor } from './visitor.ts';

/** What the session holds, or what fills it. */
export type Contents = Readonly<Record<string, unknown>> | ((session: Session) => void | Promise<void>);

/** A cookie as Playwright's `context.addCookies` and Puppeteer's `browser.setCookie` take it. */
export interface BrowserCookie {
  readonly name: string;
  readonly value: string;
  readonly url: string;
}

/**
 * Makes a session with these contents, and answers the headers of a request that has it.
 * @throws TypeError when the contents are empty: there is no session to bring then
 * @throws SessionError when it cannot be saved
 */
export async function signedIn(
  web: SessionInterface | SessionOptions,
  contents: Contents,
): Promise<{ cookie: string }> {
  const { name, value } = await makeSession(web, contents);
  return { cookie: `${name}=${value}` };
}

/**
 * The same for a browser.
 * @param url where the application is, as `http://localhost:3000`
 */
export async function browserCookies(
  web: SessionInterface | SessionOptions,
  contents: Contents,
  url: string,
): Promise<BrowserCookie[]> {
  return [{ ...(await makeSession(web, contents)), url }];
}

async function makeSession(web: SessionInterface | SessionOptions, contents: Contents) {
  const sessionInterface = web instanceof SessionInterface ? web : createSessionInterface(web);
  const visitor = new Visitor(sessionInterface);
  await visitor.visit((session) =>
    typeof contents === 'function' ? contents(session) : void session.assign(contents),
  );
  if (visitor.cookie === undefined) throw new TypeError('the session is empty, so that no request could bring it');
  return { name: sessionInterface.cookieName, value: visitor.cookie };
}
