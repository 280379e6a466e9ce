/** Cookies without a session: `response.set_cookie`, `request.cookies`, `response.delete_cookie`. All of it is Express. */
import express, { type Request } from 'express';
import { escapeHtml } from './escape-html.ts';
import { run } from './run.ts';

const app = express();

/** `request.cookies.get(name)`. Express sends values percent-encoded, and leaves reading them to us. */
function cookieOf(req: Request, name: string): string | undefined {
  for (const pair of (req.headers.cookie ?? '').split(';')) {
    const [key, ...value] = pair.trim().split('=');
    if (key !== name) continue;
    try {
      return decodeURIComponent(value.join('='));
    } catch {
      return undefined; // somebody else's cookie
    }
  }
  return undefined;
}

app.get('/set', (_req, res) => {
  res.cookie('username', 'Zoë; "the" visitor');
  res.send('cookie set');
});

app.get('/set-with-everything', (_req, res) => {
  res.cookie('username', 'flacon', {
    maxAge: 7 * 24 * 60 * 60 * 1000, // milliseconds, where Flask's max_age is in seconds
    // Clients heed Max-Age where both are given, and Express then makes Expires agree with it.
    domain: '127.0.0.1',
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
  });
  res.send('cookie set');
});

app.get('/set-until', (_req, res) => {
  res.cookie('username', 'flacon', { expires: new Date(Date.UTC(2037, 11, 31)), path: '/' });
  res.send('cookie set');
});

app.get('/get', (req, res) => {
  // A cookie is the visitor's to change: never believe it, never show it unescaped.
  res.send(`username: ${escapeHtml(cookieOf(req, 'username') ?? 'not set')}`);
});

app.get('/delete', (_req, res) => {
  // Deleting takes the domain and path that the cookie was set with; tutorials leave them out, and the cookie stays.
  res.clearCookie('username', { path: '/' });
  res.clearCookie('username', { path: '/', domain: '127.0.0.1' });
  res.send('cookie deleted');
});

run(app);
