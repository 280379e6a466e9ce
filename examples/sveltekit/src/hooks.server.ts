import type { Handle } from '@sveltejs/kit/hooks';
import { sessions } from 'flacon/adapters/fetch';
import { embeddedStore } from 'flacon/stores/embedded';

const withSession = sessions(
  { store: embeddedStore() },
  {
    onError(error) {
      throw error;
    },
  },
);

const respond = withSession((_request, session, { event, resolve }: Parameters<Handle>[0]) => {
  event.locals.session = session;
  return resolve(event);
});

export const handle: Handle = (input) => respond(input.event.request, input);
