import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGES = ['docs/reference/infra.md', 'docs/guides/regions.md'];

/** Every program in TypeScript of the pages about the construct. */
export function snippetsOf(root: string): { readonly page: string; readonly code: string }[] {
  return PAGES.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => ({
      page,
      code,
    })),
  );
}
