/** The catalogue: six flasks, and how they are drawn. */
import { type Html, html } from './html.ts';

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly cents: number;
  readonly tint: 'green' | 'amber' | 'rose' | 'blue' | 'violet' | 'grey';
  /** Paths in a box of 96 by 120: the glass, and what is in it. */
  readonly shape: { readonly glass: string; readonly content: string };
}

const list: Product[] = [
  {
    id: 'erlenmeyer',
    name: 'Erlenmeyer flask',
    about: 'Wide below, narrow above: swirl as you like, nothing spills.',
    cents: 1450,
    tint: 'green',
    shape: {
      glass: 'M36 10h24M41 10v34L20 98a8 8 0 0 0 7.5 11h41a8 8 0 0 0 7.5-11L55 44V10',
      content: 'M31 70h34l11 28a8 8 0 0 1-7.5 11h-41A8 8 0 0 1 20 98z',
    },
  },
  {
    id: 'round-bottom',
    name: 'Round-bottom flask',
    about: 'Heats evenly and stands nowhere. Comes without a ring.',
    cents: 1890,
    tint: 'amber',
    shape: {
      glass: 'M37 10h22M42 10v37.6A31 31 0 1 0 54 47.6V10',
      content: 'M17.3 82h61.4a31 31 0 0 1-61.4 0z',
    },
  },
  {
    id: 'flacon',
    name: 'Perfume flacon',
    about: 'Cut glass with a ground stopper. Small, tight, and a little vain.',
    cents: 4200,
    tint: 'rose',
    shape: {
      glass:
        'M48 11a9 9 0 1 1 0 18a9 9 0 1 1 0-18M42 29v13M54 29v13M28 42h40q10 0 10 10v47q0 10-10 10H28q-10 0-10-10V52q0-10 10-10z',
      content: 'M18 72h60v27q0 10-10 10H28q-10 0-10-10z',
    },
  },
  {
    id: 'vacuum',
    name: 'Vacuum flask',
    about: 'Keeps a state warm for twelve hours, whatever goes on outside.',
    cents: 3175,
    tint: 'blue',
    shape: {
      glass: 'M36 10h24v16H36zM30 38q0-12 12-12h12q12 0 12 12v60q0 11-11 11H41q-11 0-11-11zM30 52h36M30 84h36',
      content: 'M30 52h36v32H30z',
    },
  },
  {
    id: 'hip',
    name: 'Hip flask',
    about: 'Curved to fit a pocket. What is inside stays between you and it.',
    cents: 2790,
    tint: 'violet',
    shape: {
      glass: 'M41 10h14v12H41zM44 22v10M52 22v10M32 32h32q12 0 12 12v53q0 12-12 12H32q-12 0-12-12V44q0-12 12-12z',
      content: 'M20 66q14-8 28 0t28 0v31q0 12-12 12H32q-12 0-12-12z',
    },
  },
  {
    id: 'dropper',
    name: 'Dropper bottle',
    about: 'Brown glass, rubber bulb. For those who count every drop.',
    cents: 690,
    tint: 'grey',
    shape: {
      glass: 'M41 28V16q0-7 7-7t7 7v12M36 28h24v10H36zM34 38h28q8 0 8 8v55q0 8-8 8H34q-8 0-8-8V46q0-8 8-8zM48 38v48',
      content: 'M26 62h44v39q0 8-8 8H34q-8 0-8-8z',
    },
  },
];

export const products: ReadonlyMap<string, Product> = new Map(list.map((product) => [product.id, product]));

export function euros(cents: number): string {
  return `€ ${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}

export function drawing({ glass, content }: Product['shape']): Html {
  return html`<svg viewBox="0 0 96 120" aria-hidden="true" focusable="false">
    <path class="content" d="${content}"/><path class="glass" d="${glass}"/>
  </svg>`;
}
