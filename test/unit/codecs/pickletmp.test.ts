import { readFileSync, readdirSync } from 'node:fs';
import { test, expect } from 'vitest';
import { pickle } from '../../../src/codecs/pickle.ts';
import { canonical, toNotation } from '../../vectors/notation.ts';
test('x', () => {
  const stat: Record<string, number> = {};
  for (const f of readdirSync('/tmp/pk').filter((x) => x.endsWith('.jsonl'))) {
    for (const line of readFileSync(`/tmp/pk/${f}`, 'utf8').trim().split('\n')) {
      const [h, py] = JSON.parse(line);
      let mine: any;
      try {
        const r = pickle.open(new Uint8Array(Buffer.from(h, 'hex'))) as any;
        mine = ['dict', [...r.entries()].map(([k, v]: any) => [toNotation(k), toNotation(typeof k === 'string' ? r.get(k) : v)])];
      } catch (e: any) { mine = { error: String(e.name + e.message) }; }
      const both = py.error && mine.error;
      const ok = both || JSON.stringify(canonical(py)) === JSON.stringify(canonical(mine));
      const kind = both ? 'both refuse' : ok ? 'same' : py.error ? 'LENIENT' : mine.error ? 'STRICT' : 'DIFFER';
      stat[`${f} ${kind}`] = (stat[`${f} ${kind}`] ?? 0) + 1;
      if (!ok && (stat[`${f} ${kind}`] < 9)) console.log(kind, f, Buffer.from(h, 'hex').toString('latin1').slice(0,160), JSON.stringify(py).slice(0, 300), JSON.stringify(mine).slice(0, 300));
    }
  }
  console.log(stat);
});
