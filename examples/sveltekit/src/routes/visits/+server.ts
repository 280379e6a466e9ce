import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

export const GET: RequestHandler = ({ locals: { session } }) => json({ visits: session.get('visits', 0) });

export const POST: RequestHandler = ({ locals: { session } }) =>
  json({ visits: session.update('visits', (visits = 0) => visits + 1) });
