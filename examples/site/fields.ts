import type { Request } from 'express';

/** A field of the form that was sent; the empty text where there is none, or where it was sent several times. */
export function field(req: Request, name: string): string {
  const value: unknown = req.body?.[name];
  return typeof value === 'string' ? value : '';
}
