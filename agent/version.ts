import { createRequire } from 'node:module';

/** Of this package. Its own name finds its package.json from the source, from dist/ and from wherever it is installed. */
export function version(): string {
  return createRequire(import.meta.url)('haverdict/package.json').version;
}
