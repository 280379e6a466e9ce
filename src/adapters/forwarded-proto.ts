/** What a proxy says of the scheme that the visitor used: `X-Forwarded-Proto`. Anyone can send it; it counts where a proxy is trusted. */

let warned = false;

/** Whether the proxy nearest to the visitor was reached over https: it is the first in the list. */
export function isForwardedHttps(header: string): boolean {
  const comma = header.indexOf(',');
  return (comma === -1 ? header : header.slice(0, comma)).trim().toLowerCase() === 'https';
}

/** Once in the life of the process: session cookies lack `Secure` because nobody said that the proxy is to be trusted. */
export function warnOfUntrustedProxy(): void {
  if (warned) return;
  warned = true;
  const text =
    'a request came through a proxy that ends TLS, but the proxy is not trusted, so session cookies are sent without Secure. ' +
    "Express: app.set('trust proxy', 1). Fastify: { trustProxy: true }. Koa: app.proxy = true. Elsewhere: sessions(options, { trustProxy: true })";
  if (typeof globalThis.process?.emitWarning === 'function') {
    globalThis.process.emitWarning(text, { code: 'FLACON_UNTRUSTED_PROXY' });
  }
  // biome-ignore lint/suspicious/noConsole: what runtimes without Node's warnings have
  else console.warn(`FLACON_UNTRUSTED_PROXY: ${text}`);
}
