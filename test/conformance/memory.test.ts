import { MemoryStore } from 'flacon/stores/memory';
import { storeSuite } from 'flacon/testing/store-suite';
import { describe, it } from 'vitest';

storeSuite({ describe, it }, { name: 'memory', create: (now) => new MemoryStore({ now }) });
