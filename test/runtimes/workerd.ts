/** The application as a worker: no file system, so no embedded store. */
import { application } from './app.ts';

export default { fetch: application() };
