import { createRequire } from 'node:module';

/** The version of this package. Importing it by name finds its package.json from the source, from dist/ and installed. */
export function version(): string {
  return createRequire(import.meta.url)('haverdict/package.json').version;
}
