/** Headers that describe the body of the answer that a failed save stopped; they must not describe the error page. */
export const BODY_HEADERS: readonly string[] = [
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'refresh',
  'trailer',
  'transfer-encoding',
];
