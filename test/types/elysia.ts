/** The session in the context of Elysia's handlers: in those of the instance that uses the plugin, and where it is shared. */

import { Elysia } from 'elysia';
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/elysia';
import { MemoryStore } from 'flacon/stores/memory';

const store = new MemoryStore();

const app = new Elysia()
  .use(sessions({ store }))
  .get('/', ({ session }) => {
    const same: Session = session;
    const id: number | undefined = same.user?.id;
    // @ts-expect-error a key has the declared type
    session.user = 3;
    return `${id}`;
  })
  .post('/:id', ({ session, params, set }) => {
    set.status = 201;
    return session.get(params.id, 'nothing');
  });

const two = new Elysia()
  .use(sessions({ store }))
  .use(sessions({ store, cookie: { name: 'admin' } }, { property: 'admin' }))
  .get('/', ({ session, admin }) => `${session.size} ${admin.size}`);

const local = new Elysia()
  .use(new Elysia({ prefix: '/shop' }).use(sessions({ store })).get('/', ({ session }) => session.size))
  // @ts-expect-error the session is that of the instance inside
  .get('/', ({ session }) => session.size);

const shared = new Elysia()
  .use(new Elysia().use(sessions({ store })).as('scoped'))
  .get('/', ({ session }) => session.size);

export { app, local, shared, two };
