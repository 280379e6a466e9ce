/** A name for a browser that its user recognises, from the User-Agent header. It is what the client says, no more. */

const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/\b(Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
];
const SYSTEMS: [RegExp, string][] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

export function browserName(userAgent: string | undefined): string {
  const text = userAgent?.slice(0, 500) ?? '';
  const named = (table: [RegExp, string][]) => table.find(([pattern]) => pattern.test(text))?.[1];
  const browser = named(BROWSERS) ?? 'Another browser';
  const system = named(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
