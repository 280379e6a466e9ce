/** The stores that need nothing but a folder. */
import type { SessionStore } from 'flacon';
import { embeddedStore } from 'flacon/stores/embedded';
import { FilesystemStore } from 'flacon/stores/filesystem';

export function storesIn(directory: string): Record<string, SessionStore> {
  return { embedded: embeddedStore({ directory }), files: new FilesystemStore({ directory: `${directory}/files` }) };
}
