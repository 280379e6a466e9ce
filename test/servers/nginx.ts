/** An nginx that caches what it may, in front of a server. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBinary, freePort, isListening, startProcess, type TestServer, temporaryFolder } from './process.ts';

export interface CachingSetup {
  /** Where what it does not have comes from: `http://127.0.0.1:PORT`. */
  readonly upstream: string;
  /** Keeps answers that carry a `Set-Cookie`, too, unless something else forbids it: an ill-advised but common setting. */
  readonly ignoresSetCookie?: boolean;
}

/** Its answers say `X-Cache: HIT` or `MISS`. It keeps, for a minute, whatever does not say that it may not. */
export async function startCachingProxy({ upstream, ignoresSetCookie = false }: CachingSetup): Promise<TestServer> {
  const binary = await ensureBinary('nginx', 'nginx-light');
  const port = await freePort();
  const folder = temporaryFolder('nginx');
  chmodSync(folder.path, 0o755);
  const configuration = `
    daemon off;
    worker_processes 1;
    pid ${folder.path}/pid;
    error_log stderr crit;
    events { worker_connections 256; }
    http {
      access_log off;
      client_body_temp_path ${folder.path}/body;
      proxy_temp_path ${folder.path}/temp;
      fastcgi_temp_path ${folder.path}/fastcgi;
      uwsgi_temp_path ${folder.path}/uwsgi;
      scgi_temp_path ${folder.path}/scgi;
      proxy_cache_path ${folder.path}/cache keys_zone=cache:1m;
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${upstream};
          proxy_http_version 1.1;
          proxy_cache cache;
          proxy_cache_key $scheme$host$request_uri;
          proxy_cache_valid 200 302 404 500 1m;
          ${ignoresSetCookie ? 'proxy_ignore_headers Set-Cookie;' : ''}
          add_header X-Cache $upstream_cache_status always;
        }
      }
    }`;
  const file = join(folder.path, 'nginx.conf');
  writeFileSync(file, configuration);
  const started = await startProcess({
    command: binary,
    args: ['-c', file, '-p', folder.path],
    ready: () => isListening(port),
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await started.stop();
      folder.remove();
    },
  };
}
