import { adapterSuite } from 'flacon/testing/adapter-suite';
import { describe, it } from 'vitest';
import { serveFetch } from './frameworks/fetch.ts';

adapterSuite({ describe, it }, { name: 'fetch', serve: serveFetch });
