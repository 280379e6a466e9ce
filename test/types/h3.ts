/** The session of an h3 event, by the augmented context. */
import type { Session } from 'flacon';
import { sessions } from 'flacon/adapters/h3';
import { MemoryStore } from 'flacon/stores/memory';
import { defineHandler, H3 } from 'h3';

const app = new H3().use(sessions({ store: new MemoryStore() }));

app.get('/', (event) => {
  const session: Session = event.context.session;
  const id: number | undefined = session.user?.id;
  // @ts-expect-error a key has the declared type
  event.context.session.user = 3;
  return { id };
});

const handler = defineHandler(({ context }) => context.session.get<number>('visits', 0));

app.use(sessions({ store: new MemoryStore() }, { property: 'admin', trustProxy: true }));

export { app, handler };
