import { SessionMembers } from './session.ts';
import { SessionState } from './state.ts';

/** Flask's null session: reading works on an empty session, writing throws `SessionReadOnlyError` and says why. */
export class NullSession extends SessionMembers {
  /** @param why what a handler that writes is told */
  constructor(why: string) {
    const state = new SessionState();
    state.isNew = false;
    state.readOnly = why;
    super(state);
  }
}
