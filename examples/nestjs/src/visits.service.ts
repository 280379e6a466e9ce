import { Injectable } from '@nestjs/common';
import { session } from 'flacon';

@Injectable()
export class VisitsService {
  /** Of the visitor whose request is being served: nobody has to pass the session along. */
  count(): number {
    return session.update<number>('visits', (visits) => (visits ?? 0) + 1);
  }
}
