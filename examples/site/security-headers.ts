import type { RequestHandler } from 'express';

const HEADERS = {
  // No script at all; style, pictures and forms from and to this site only; in nobody's frame.
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

export const securityHeaders: RequestHandler = (req, res, next) => {
  res.set(HEADERS);
  // Browsers heed this only over https, and would then refuse http: it is not for a server on localhost.
  if (req.secure) res.set('Strict-Transport-Security', 'max-age=31536000');
  next();
};

/** Pages are somebody's: after signing out, the browser's Back button is not to show them. */
export const notStored: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};
