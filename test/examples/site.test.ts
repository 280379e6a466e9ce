import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { NotStarted, type Started, start, temporaryFolder } from './started.ts';
import { type Answer, Visitor } from './visitor.ts';

const PASSWORD = 'correct horse battery';

async function signUp(visitor: Visitor, name: string, password = PASSWORD): Promise<Answer> {
  await visitor.get('/sign-up');
  return visitor.submit('/sign-up', { name, password });
}

async function signIn(visitor: Visitor, name: string, password = PASSWORD): Promise<Answer> {
  await visitor.get('/sign-in');
  return visitor.submit('/sign-in', { name, password });
}

/** Markup without tags and with single spaces, as it reads. */
function textOf({ text }: Answer): string {
  return text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

describe('the site with its own defaults', () => {
  let site: Started;
  let addresses = 0;
  /** Each from an address of its own, so that one test's wrong passwords are not held against another. */
  const visitor = () => new Visitor(site.url, { 'X-Forwarded-For': `192.0.2.${++addresses}` });
  beforeAll(async () => {
    site = await start('site/server.ts', { TRUSTED_PROXIES: '1' });
  });

  test('signing up signs in, and says so once', async () => {
    const ada = visitor();
    const answer = await signUp(ada, 'Ada');
    expect(answer.status).toBe(303);
    expect(textOf(await ada.follow(answer))).toContain('Welcome, Ada.');
    const again = textOf(await ada.get('/'));
    expect(again).not.toContain('Welcome');
    expect(again).toContain('Signed in as Ada');
  });

  test('the cookie is HttpOnly and Lax, for this host, and holds nothing but an id', async () => {
    const { setCookies } = await visitor().get('/');
    expect(setCookies).toHaveLength(1);
    expect(setCookies[0]).toMatch(/^session=[\w-]{43}; Expires=[^;]+; HttpOnly; Path=\/; SameSite=Lax$/);
  });

  test('a name that is taken is refused, however it is written', async () => {
    await signUp(visitor(), 'Grace');
    for (const name of ['Grace', 'grace', ' GRACE ']) {
      const answer = await signUp(visitor(), name);
      expect(answer.status).toBe(422);
      expect(textOf(answer)).toContain('That name is taken.');
    }
  });

  test('of two who want the same name at the same time, one gets it', async () => {
    const answers = await Promise.all([signUp(visitor(), 'Twin'), signUp(visitor(), 'Twin')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 422]);
  });

  test.each([
    ['', PASSWORD, 'A name has 1 to 40 characters.'],
    ['x'.repeat(41), PASSWORD, 'A name has 1 to 40 characters.'],
    ['a\u202eb', PASSWORD, 'That name contains an invisible character.'],
    ['Eve', 'seven77', 'A password has at least 8 characters.'],
    ['Eve', 'x'.repeat(201), 'A password has at most 200 characters.'],
  ])('signing up as %j is refused with a reason', async (name, password, reason) => {
    const answer = await signUp(visitor(), name, password);
    expect(answer.status).toBe(422);
    expect(textOf(answer)).toContain(reason);
  });

  test('a wrong password and an unknown name get the same answer', async () => {
    await signUp(visitor(), 'Alan');
    const wrong = await signIn(visitor(), 'Alan', 'wrong password');
    const unknown = await signIn(visitor(), 'Nobody', 'wrong password');
    expect(wrong.status).toBe(422);
    expect(textOf(wrong)).toContain('Name or password is wrong.');
    const blind = ({ text }: Answer) => text.replace(/name="csrf" value="[^"]+"|Alan|Nobody/g, '');
    expect(blind(unknown)).toBe(blind(wrong));
    const alan = visitor();
    expect(textOf(await alan.follow(await signIn(alan, 'alan')))).toContain('Welcome, Alan.');
  });

  test('after ten wrong passwords an address has to wait, and only that one', async () => {
    await signUp(visitor(), 'Target');
    const guesser = visitor();
    await guesser.get('/sign-in');
    const tries = Array.from({ length: 10 }, (_, i) =>
      guesser.submit('/sign-in', { name: 'Target', password: `guess ${i}` }),
    );
    for (const { status } of await Promise.all(tries)) expect(status).toBe(422);
    const refused = await signIn(guesser, 'Target');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await signIn(visitor(), 'Target')).status).toBe(303);
  });

  test('signing in continues under a new id, with the cart; the id from before is dead', async () => {
    await signUp(visitor(), 'Barbara');
    const barbara = visitor();
    await barbara.get('/');
    await barbara.submit('/cart/add', { product: 'hip' });
    const before = barbara.copy();
    await signIn(barbara, 'Barbara');
    expect(barbara.cookies.get('session')).not.toBe(before.cookies.get('session'));
    expect(textOf(await barbara.get('/cart'))).toContain('Hip flask');
    const stranger = textOf(await before.get('/cart'));
    expect(stranger).toContain('Your cart is empty');
    expect(stranger).not.toContain('Barbara');
  });

  test('the cart: add, change, remove', async () => {
    const shopper = visitor();
    await shopper.get('/');
    expect(textOf(await shopper.follow(await shopper.submit('/cart/add', { product: 'flacon' })))).toContain(
      'Perfume flacon is in your cart.',
    );
    await shopper.submit('/cart/add', { product: 'flacon' });
    await shopper.submit('/cart/add', { product: 'dropper' });
    expect(textOf(await shopper.get('/cart'))).toContain('Total € 90.90');
    await shopper.submit('/cart/change', { product: 'flacon', quantity: '7' });
    expect(textOf(await shopper.get('/cart'))).toContain('Total € 300.90');
    await shopper.submit('/cart/remove', { product: 'flacon' });
    const cart = textOf(await shopper.get('/cart'));
    expect(cart).toContain('Total € 6.90');
    expect(cart).toContain('Perfume flacon is no longer in your cart.');
  });

  test.each(['0', '-1', '1.5', '100', '1e9', 'NaN', '', '<b>'])(
    'a quantity of %j changes nothing',
    async (quantity) => {
      const shopper = visitor();
      await shopper.get('/');
      await shopper.submit('/cart/add', { product: 'vacuum' });
      const answer = await shopper.follow(await shopper.submit('/cart/change', { product: 'vacuum', quantity }));
      expect(textOf(answer)).toContain('A quantity is a whole number from 1 to 99.');
      expect(textOf(answer)).toContain('Total € 31.75');
    },
  );

  test.each(['__proto__', 'constructor', 'toString', '', 'nothing'])('%j is no product', async (product) => {
    const shopper = visitor();
    await shopper.get('/');
    for (const path of ['/cart/add', '/cart/remove', '/cart/change']) {
      expect((await shopper.submit(path, { product, quantity: '1' })).status).toBe(404);
    }
    expect(textOf(await shopper.get('/cart'))).toContain('Your cart is empty');
  });

  test('an order needs a signed-in visitor, who then comes back to the cart', async () => {
    const linus = visitor();
    await linus.get('/');
    await linus.submit('/cart/add', { product: 'erlenmeyer' });
    const refused = await linus.submit('/cart/order');
    expect(refused.headers.get('location')).toBe('/sign-in');
    const signedUp = await signUp(linus, 'Linus');
    expect(signedUp.headers.get('location')).toBe('/cart');
    await linus.follow(signedUp);
    expect(textOf(await linus.follow(await linus.submit('/cart/order')))).toContain('Thank you!');
    expect(textOf(await linus.get('/cart'))).toContain('Your cart is empty');
  });

  test('signing out ends the session: the old cookie is dead, wherever it was copied to', async () => {
    const mary = visitor();
    await mary.follow(await signUp(mary, 'Mary'));
    const thief = mary.copy();
    expect((await thief.get('/where')).status).toBe(200);
    const page = await mary.follow(await mary.submit('/sign-out'));
    expect(textOf(page)).toContain('You are signed out.');
    expect(textOf(page)).not.toContain('Mary');
    expect(mary.cookies.get('session')).not.toBe(thief.cookies.get('session'));
    const stolen = await thief.copy().get('/where');
    expect(stolen.headers.get('location')).toBe('/sign-in');
    // Nor does a request with the dead id bring it back to life.
    await thief.submit('/cart/add', { product: 'hip' });
    expect((await thief.get('/where')).headers.get('location')).toBe('/sign-in');
  });

  test.each([
    ['no token', () => ({})],
    ['an empty token', () => ({ csrf: '' })],
    ['a made-up token', () => ({ csrf: 'A'.repeat(43) })],
    ["another visitor's token", (other: string) => ({ csrf: other })],
  ])('a form with %s is refused, and changes nothing', async (_title, token) => {
    const page = (await visitor().get('/sign-in')).text;
    const fields = token(/name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '');
    const victim = visitor();
    await victim.get('/');
    const answer = await victim.post('/cart/add', { product: 'hip', ...fields });
    expect(answer.status).toBe(403);
    expect(textOf(answer)).toContain('That form is out of date');
    expect(textOf(await victim.get('/cart'))).toContain('Your cart is empty');
  });

  test('the token of before signing in is not good any more afterwards', async () => {
    const joan = visitor();
    const csrf = /name="csrf" value="([^"]+)"/.exec((await joan.get('/sign-up')).text)?.[1] as string;
    await joan.post('/sign-up', { name: 'Joan', password: PASSWORD, csrf });
    expect((await joan.post('/cart/add', { product: 'hip', csrf })).status).toBe(403);
  });

  test.each(['</title><script>alert(1)</script>', `"'><img src=x onerror=x>&lt;`])(
    'the name %s is shown as it is, on every page',
    async (name) => {
      const mallory = visitor();
      const pages = [await mallory.follow(await signUp(mallory, name))];
      for (const path of ['/', '/cart', '/where']) pages.push(await mallory.get(path));
      pages.push(await signUp(visitor(), name), await signIn(visitor(), name, 'wrong password'));
      const escaped = name.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
      for (const { text } of pages) {
        expect(text).toContain(escaped);
        expect(text).not.toContain(name);
      }
    },
  );

  test('"Where am I signed in" shows the facts of the session, and never its id', async () => {
    const visitorWith = (agent: string) =>
      new Visitor(site.url, { 'X-Forwarded-For': '203.0.113.9', 'User-Agent': agent });
    const katherine = visitorWith('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0');
    await signUp(katherine, 'Katherine');
    const page = await katherine.get('/where');
    const text = textOf(page);
    for (const fact of ['Name Katherine', 'Firefox on Linux', '203.0.113.9', 'the sqlite store', 'secure defaults']) {
      expect(text).toContain(fact);
    }
    const times = [...page.text.matchAll(/<time datetime="([^"]+)"/g)].map(([, time]) => Date.parse(time as string));
    const now = Date.now();
    const day = 86_400_000;
    expect(times).toHaveLength(4);
    for (const [i, expected] of [now, now, now + day, now + 30 * day].entries()) {
      expect(Math.abs((times[i] as number) - expected)).toBeLessThan(60_000);
    }
    expect(page.text).not.toContain(katherine.cookies.get('session'));

    const elsewhere = visitorWith('curl/8.0');
    for (const [name, value] of katherine.cookies) elsewhere.cookies.set(name, value);
    expect(textOf(await elsewhere.get('/where'))).toContain('Browser curl Signed in with Firefox on Linux');
  });

  test('pages carry the security headers, and no cache keeps them', async () => {
    for (const path of ['/', '/sign-in', '/nowhere']) {
      const { headers } = await visitor().get(path);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self'; img-src 'self';/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
    }
    expect((await visitor().get('/')).headers.get('vary')).toContain('Cookie');
  });

  test('the style sheet has no use for a session', async () => {
    for (const [path, type] of [
      ['/style.css', 'text/css'],
      ['/icon.svg', 'image/svg+xml'],
    ] as const) {
      const answer = await visitor().get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toContain(type);
      expect(answer.setCookies).toEqual([]);
      expect(answer.headers.get('vary')).toBeNull();
    }
  });

  test('what is not there, too large or malformed is answered with a page', async () => {
    const lost = await visitor().get('/nowhere');
    expect(lost.status).toBe(404);
    expect(textOf(lost)).toContain('There is no such page');
    expect((await visitor().post('/sign-in', { name: 'x'.repeat(20_000) })).status).toBe(413);
    expect((await visitor().get('/%')).status).toBe(404);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, '']));
    expect((await visitor().post('/sign-in', many)).status).toBe(413);
  });

  test('over https the cookie is Secure, and the browser is told to stay there', async () => {
    const secure = new Visitor(site.url, { 'X-Forwarded-For': '192.0.2.200', 'X-Forwarded-Proto': 'https' });
    const { setCookies, headers } = await secure.get('/');
    expect(setCookies[0]).toContain('; Secure');
    expect(headers.get('strict-transport-security')).not.toBeNull();
  });
});

describe('restarts', () => {
  test.each([
    ['the embedded store', {}],
    ['SESSION_TYPE=filesystem', { SESSION_TYPE: 'filesystem' }],
    ['SESSION_TYPE=sqlite', { SESSION_TYPE: 'sqlite' }],
    ['SESSION_TYPE=null', { SESSION_TYPE: 'null', SECRET_KEY: 'a key for tests' }],
  ] as [string, Record<string, string>][])('with %s, a session survives kill -9', async (_title, env) => {
    const folder = temporaryFolder();
    const first = await start('site/server.ts', env, folder);
    const ada = new Visitor(first.url);
    await signUp(ada, 'Ada');
    await ada.get('/');
    await ada.submit('/cart/add', { product: 'round-bottom' });
    expect(await first.stop('SIGKILL')).toBeNull();

    const second = await start('site/server.ts', env, folder);
    const again = ada.copy(second.url);
    const page = textOf(await again.get('/cart'));
    expect(page).toContain('Signed in as Ada');
    expect(page).toContain('Round-bottom flask');
    await again.submit('/sign-out');
    expect((await again.get('/where')).headers.get('location')).toBe('/sign-in');
    expect((await signIn(again, 'Ada')).status).toBe(303);
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends the program, although a browser keeps its connection',
    async (signal) => {
      const site = await start('site/server.ts');
      await new Visitor(site.url).get('/');
      expect(await site.stop(signal)).toBe(0);
    },
  );
});

describe('other settings', () => {
  test('SESSION_TYPE=filesystem: cookie and facts are those of Flask', async () => {
    const site = await start('site/server.ts', {
      SESSION_TYPE: 'filesystem',
      SESSION_COOKIE_NAME: 'visit',
      PERMANENT_SESSION_LIFETIME: '3600',
    });
    const ada = new Visitor(site.url);
    const { setCookies } = await signUp(ada, 'Ada');
    expect(setCookies[0]).toMatch(/^visit=[\w-]{43}; Expires=[^;]+; HttpOnly; Path=\/$/);
    const page = await ada.get('/where');
    for (const fact of ['the filesystem store', 'as Flask keeps them', 'when you sign out']) {
      expect(textOf(page)).toContain(fact);
    }
    const idleEnd = [...page.text.matchAll(/<time datetime="([^"]+)"/g)].at(-1)?.[1] as string;
    expect(Math.abs(Date.parse(idleEnd) - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  test('when the store fails, the answer is a page with 500 that gives nothing away', async () => {
    const folder = temporaryFolder();
    const sessionFolder = join(folder, 'flask_session');
    const site = await start('site/server.ts', { SESSION_TYPE: 'filesystem', SESSION_FILE_DIR: sessionFolder }, folder);
    const ada = new Visitor(site.url);
    await ada.get('/');
    rmSync(sessionFolder, { recursive: true });
    writeFileSync(sessionFolder, 'a file where a folder should be');
    const answer = await ada.get('/');
    expect(answer.status).toBe(500);
    expect(textOf(answer)).toContain('Something broke');
    expect(answer.text).not.toContain(folder);
    expect(site.output()).toContain('SessionStoreError');
    expect((await new Visitor(site.url).get('/style.css')).status).toBe(200);
    rmSync(sessionFolder);
    expect((await ada.get('/')).status).toBe(200);
  });

  test('SESSION_TYPE=null without SECRET_KEY does not start, and says what is missing', async () => {
    const attempt = start('site/server.ts', { SESSION_TYPE: 'null' });
    await expect(attempt).rejects.toThrow(NotStarted);
    await expect(attempt).rejects.toThrow(/set SECRET_KEY/);
  });

  test('a port that is taken is reported with a way out', async () => {
    const site = await start('site/server.ts');
    const attempt = start('site/server.ts', { PORT: new URL(site.url).port });
    await expect(attempt).rejects.toThrow(/Port \d+ is taken\. PORT=3001 npm start/);
  });
});
