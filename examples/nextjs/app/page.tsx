import { session } from 'flacon';
import { getSession, withSession } from '../lib/session';
import { signIn, signOut } from './actions';

const takeMessages = withSession(() => session.takeFlashes());

export default async function Page() {
  const messages = await takeMessages();
  const { user, visits = 0 } = await getSession();
  return (
    <main>
      {messages.map(([category, message]) => (
        <p key={String(message)} role="status" className={category}>
          {String(message)}
        </p>
      ))}
      {user === undefined ? (
        <form action={signIn}>
          <input name="user" aria-label="Name" required />
          <button type="submit">Sign in</button>
        </form>
      ) : (
        <form action={signOut}>
          <p>You are {user}.</p>
          <button type="submit">Sign out</button>
        </form>
      )}
      <p>Counted visits: {visits}</p>
    </main>
  );
}
