'use server';

import { session } from 'flacon';
import { redirect } from 'next/navigation';
import { withSession } from '../lib/session';

export const signIn = withSession(async (form: FormData) => {
  session.regenerate();
  session.user = String(form.get('user'));
  session.flash(`Welcome, ${session.user}.`);
  redirect('/');
});

export const signOut = withSession(async () => {
  session.destroy();
  session.flash('Goodbye.');
  redirect('/');
});
