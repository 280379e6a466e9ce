import { Form, redirect } from 'react-router';
import { sessionContext } from '../session.server';
import type { Route } from './+types/home';

export function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  return {
    messages: session.takeFlashes().map(([category, message]) => ({ category, text: String(message) })),
    user: session.user,
    visits: session.get('visits', 0),
  };
}

export async function action({ context, request }: Route.ActionArgs) {
  const session = context.get(sessionContext);
  const form = await request.formData();
  if (form.get('do') === 'sign out') {
    session.destroy();
    session.flash('Goodbye.');
  } else {
    session.regenerate();
    session.user = String(form.get('user'));
    session.flash(`Welcome, ${session.user}.`);
  }
  throw redirect('/');
}

export default function Home({ loaderData: { messages, user, visits } }: Route.ComponentProps) {
  return (
    <main>
      {messages.map(({ category, text }) => (
        <p key={text} role="status" className={category}>
          {text}
        </p>
      ))}
      {user === undefined ? (
        <Form method="post">
          <input name="user" aria-label="Name" required />
          <button type="submit">Sign in</button>
        </Form>
      ) : (
        <Form method="post">
          <p>You are {user}.</p>
          <input type="hidden" name="do" value="sign out" />
          <button type="submit">Sign out</button>
        </Form>
      )}
      <p>Counted visits: {visits}</p>
    </main>
  );
}
