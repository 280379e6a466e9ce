import { afterEach, expect, it } from 'vitest';
import { MemoryStore } from 'flacon/stores/memory';
import { authentication, breakable, closeAll, guide, serve } from '../passport-app.ts';
afterEach(closeAll);
it.each(['Express 5', 'Express 4'] as const)('what the error page is %s', async (name) => {
  const broken = breakable();
  let inside = () => {};
  const passport = authentication(async () => inside());
  const app = await serve(name, { store: broken.store }, (app) => guide(app, passport));
  const visitor = app.visitor();
  await visitor.post('/cart', { item: 'tea' });
  inside = () => { broken.broken = true; };
  const answer = await visitor.post('/login', { username: 'ann', password: 'ann' });
  console.log(name, answer.status, answer.text.slice(0, 200), answer.setCookies, app.events);
  broken.broken = false; inside = () => {};
  await visitor.post('/login', { username: 'ann', password: 'ann' });
  broken.broken = true;
  const out = await visitor.post('/logout');
  console.log(name, out.status, out.text.slice(0, 200), out.setCookies);
});
it('window', async () => {
  const memory = new MemoryStore();
  let onDelete: (() => Promise<unknown>) | undefined;
  const later = () => new Promise<void>((r) => setImmediate(r));
  const store = {
    name: 'w',
    read: async (...a: any) => { await later(); return (memory as any).read(...a); },
    write: async (...a: any) => { await later(); const r = (memory as any).write(...a); if (a[1] === null) { await onDelete?.(); } return r; },
    touch: async (...a: any) => (memory as any).touch(...a),
    delete: async (...a: any) => { await later(); const r = (memory as any).delete(...a); await onDelete?.(); return r; },
  };
  let entered = () => {}, leave = () => {};
  const inside = new Promise<void>((r) => { entered = r; });
  const app = await serve('Express 5', { store: store as any }, (app) => {
    guide(app, authentication());
    app.post('/slow', (req, res) => { req.session.set('slow', true); entered(); new Promise<void>((r) => { leave = r; }).then(() => res.sendStatus(204)); });
  });
  const visitor = app.visitor();
  await visitor.post('/cart', { item: 'tea' });
  const slow = visitor.copy().post('/slow');
  await inside;
  let slowAnswer: any;
  onDelete = async () => { onDelete = undefined; leave(); slowAnswer = await slow; };
  await visitor.post('/login', { username: 'ann', password: 'ann' });
  console.log('slow during window', slowAnswer?.setCookies, app.events.map((e) => e.type));
});
