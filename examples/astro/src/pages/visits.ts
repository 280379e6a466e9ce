import type { APIRoute } from 'astro';

export const GET: APIRoute = ({ locals: { session } }) => Response.json({ visits: session.get('visits', 0) });

export const POST: APIRoute = ({ locals: { session } }) =>
  Response.json({ visits: session.update('visits', (visits = 0) => visits + 1) });
