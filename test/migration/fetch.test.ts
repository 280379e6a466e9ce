/** The move is the interface's: an adapter has only to send the cookies that it says. Here the one for the Fetch API. */
import { sessions } from 'flacon/adapters/fetch';
import { fromExpressSession } from 'flacon/connect';
import { MemoryStore } from 'flacon/stores/memory';
import { afterAll, expect, test } from 'vitest';
import { closeSites } from './apps.ts';
import { SECRET, Stage } from './stage.ts';

afterAll(closeSites);

test('the Fetch API', async () => {
  const stage = new Stage();
  const ada = await stage.ada();
  const theirs = { secret: SECRET, store: stage.former };
  const handle = sessions(fromExpressSession({ store: new MemoryStore() }, theirs))((_request, session) =>
    Response.json(session),
  );
  const first = await handle(
    new Request('http://localhost/', { headers: { cookie: `connect.sid=${ada.cookies.get('connect.sid')}` } }),
  );
  expect(await first.json()).toEqual({ passport: { user: 'ada' } });
  const cookies = first.headers.getSetCookie();
  expect(cookies.map((text) => text.split('=')[0])).toEqual(['session', 'connect.sid']);
  expect(stage.former.size).toBe(0);
  const [ours = ''] = (cookies[0] as string).split(';');
  const second = await handle(new Request('http://localhost/', { headers: { cookie: ours } }));
  expect(await second.json()).toEqual({ passport: { user: 'ada' } });
  expect(second.headers.getSetCookie()).toEqual([]);
});
