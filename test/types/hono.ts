/** The session of a Hono context, by the augmented map of variables and by an application's own. */
import type { Session } from 'flacon';
import { type SessionVariables, sessions } from 'flacon/adapters/hono';
import { MemoryStore } from 'flacon/stores/memory';
import { type Context, Hono } from 'hono';

const store = new MemoryStore();

const plain = new Hono().use(sessions({ store })).get('/', (c) => {
  const id: number | undefined = c.get('session').user?.id;
  const same: Session = c.var.session;
  // @ts-expect-error a key has the declared type
  c.var.session.user = 3;
  return c.text(`${id} ${same.size}`);
});

const own = new Hono<{ Variables: SessionVariables & { started: number } }>();
own.use(sessions({ store }));
own.get('/', (c) => c.text(`${c.var.session.size} ${c.var.started}`));

const two = new Hono()
  .use(sessions({ store }, { property: 'admin' }))
  .get('/', (c) => c.text(String(c.get('admin').size)));

/** Anything that takes a context, without generics. */
function visits(c: Context): number {
  return c.get('session').get<number>('visits', 0);
}

// @ts-expect-error the session is not to be replaced by another kind of value
plain.get('/', (c) => c.set('session', 1));

export { own, plain, two, visits };
