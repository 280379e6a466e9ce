import type { Session } from 'flacon';

declare module 'flacon' {
  interface SessionData {
    user: string;
    visits: number;
  }
}

declare global {
  namespace App {
    interface Locals {
      session: Session;
    }
  }
}
