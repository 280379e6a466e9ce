/** What this site keeps for each visitor. Everything that uses `session` is typed by this. */
declare module 'flacon' {
  interface SessionData {
    /** Set while signed in: who, and what is known of where they did it. */
    signedIn: { name: string; at: number; browser: string; address: string };
    /** Product id to quantity. */
    cart: Record<string, number>;
    /** Goes into every form, and has to come back with it. See csrf.ts. */
    csrf: string;
    /** Where to go after signing in. Kept here, not in the address, so that no link can choose it. */
    next: string;
  }
}

export {};
