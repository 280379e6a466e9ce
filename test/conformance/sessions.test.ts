import { describe, it } from 'vitest';
import { MemoryStore } from '../../src/stores/memory.ts';
import { sessionSuite } from '../../src/testing/session-suite.ts';

sessionSuite({ describe, it }, { name: 'memory, secure profile', create: (now) => new MemoryStore({ now }) });
sessionSuite(
  { describe, it },
  {
    name: 'memory, Flask profile',
    create: (now) => new MemoryStore({ now }),
    options: { profile: 'flask' },
  },
);
