import 'flacon';

/** What this application keeps in a session. */
declare module 'flacon' {
  interface SessionData {
    user?: string;
    visits?: number;
  }
}
