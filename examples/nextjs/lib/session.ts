import { sessions } from 'flacon/adapters/next';
import { cookies, headers } from 'next/headers';

declare module 'flacon' {
  interface SessionData {
    user: string;
    visits: number;
  }
}

export const { withSession, getSession } = sessions({}, { cookies, headers });
