import { describe, it } from 'vitest';
import { nestFeatures } from './nestjs-features.ts';

nestFeatures({ describe, it });
