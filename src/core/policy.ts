/** What is to happen to the record and the cookie, decided purely from what is known when a response begins. */

/**
 * When a session that was not changed has its deadlines moved. `always`: at every request, and the cookie's
 * too where it ends with idleness (Flask's SESSION_REFRESH_EACH_REQUEST). `never`: not at all. A number: when a session was read, and this share of its lifetime
 * (0 to 1) has passed since the last time.
 */
export type Refresh = 'always' | 'never' | number;

export interface Rules {
  readonly refresh: Refresh;
  /** Flask's profile: a change always sends the cookie, and clearing sends a deletion even to who has no cookie. */
  readonly flask: boolean;
  /** The cookie's end is the end of idleness, which moves; else it is an absolute one. */
  readonly rolling: boolean;
  /** The cookie is the session: keeping anything means sending it. */
  readonly inCookie: boolean;
}

export interface Facts {
  readonly accessed: boolean;
  readonly modified: boolean;
  /** Operations are waiting, whatever `modified` says. */
  readonly pending: boolean;
  /** An object inside was changed in place. */
  readonly nested: boolean;
  readonly empty: boolean;
  readonly isNew: boolean;
  readonly permanent: boolean;
  /** When the cookie ends, or whether with the browser's session, is not decided as it was when the session was opened. */
  readonly endChanged: boolean;
  /** The session has an idle time of its own, which its cookie tells. */
  readonly ownIdleTime: boolean;
  /** The request carried this session's cookie, good or bad. */
  readonly offered: boolean;
  /** `destroy` was called. */
  readonly ended: boolean;
  /** `regenerate` was called. */
  readonly renamed: boolean;
  /** The cookie was verified by an old key, and is to be issued again under the new one. */
  readonly reissue: boolean;
  /** The share of the lifetime after which a session that was read is touched has passed. */
  readonly due: boolean;
}

export interface Decision {
  readonly data: 'keep' | 'write' | 'touch' | 'delete';
  readonly cookie: 'keep' | 'set' | 'clear';
  readonly vary: boolean;
}

/** Flask's `save_session` and `should_set_cookie`, Flask-Session's, and the secure profile's: the same decisions. */
export function decide(facts: Facts, rules: Rules): Decision {
  const always = rules.refresh === 'always';
  const changed = facts.modified || facts.nested;

  if (facts.empty) {
    const clear = changed && (rules.flask || facts.offered || facts.ended);
    return {
      data: changed && (!facts.isNew || facts.ended) ? 'delete' : 'keep',
      cookie: clear ? 'clear' : 'keep',
      vary: facts.accessed || clear,
    };
  }
  const write = changed || facts.renamed || (always && facts.pending);
  const refresh = always && facts.permanent;
  let set = facts.renamed || facts.reissue;
  if (rules.inCookie) set ||= changed || refresh || facts.due;
  else if (rules.flask) set ||= facts.modified || refresh;
  else {
    const moves = (rules.rolling || facts.ownIdleTime) && facts.permanent;
    set ||= (write && facts.isNew) || facts.endChanged || (moves && (always || write || facts.due));
  }
  return {
    data: write ? 'write' : always || facts.due ? 'touch' : 'keep',
    cookie: set ? 'set' : 'keep',
    vary: facts.accessed || set,
  };
}
