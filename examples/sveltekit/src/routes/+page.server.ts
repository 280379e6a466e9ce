import { redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = ({ locals: { session } }) => ({
  messages: session.takeFlashes().map(([category, message]) => ({ category, text: String(message) })),
  user: session.user,
  visits: session.get('visits', 0),
});

export const actions: Actions = {
  async signIn({ locals: { session }, request }) {
    const form = await request.formData();
    session.regenerate();
    session.user = String(form.get('user'));
    session.flash(`Welcome, ${session.user}.`);
    redirect(303, '/');
  },
  signOut({ locals: { session } }) {
    session.destroy();
    session.flash('Goodbye.');
    redirect(303, '/');
  },
};
