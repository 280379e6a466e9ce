/** A user's own keys are typed by augmenting `SessionData` of the package's name. */
import { type SessionData, session } from 'flacon';

declare module 'flacon' {
  interface SessionData {
    user?: { id: number };
  }
}

const data: SessionData = { user: { id: 1 } };
const id: number | undefined = session.user?.id;

// @ts-expect-error a key has the declared type
session.user = 3;
// @ts-expect-error so has a key inside its value
session.user = { id: '1' };

export { data, id };
