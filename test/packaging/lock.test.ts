import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

interface Entry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  /** Comes in the archive of the package around it. */
  readonly inBundle?: boolean;
}

const LOCK = new URL('../../package-lock.json', import.meta.url);
const { packages }: { packages: Record<string, Entry> } = JSON.parse(readFileSync(LOCK, 'utf8'));
const fetched = Object.entries(packages).filter(([path, { inBundle }]) => path !== '' && !inBundle);

describe('package-lock.json', () => {
  it('has the SHA-512 of everything that is fetched, for other systems too', () => {
    assert.ok(fetched.length > 200);
    const bare = fetched.filter(([, { integrity = '' }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity));
    assert.deepEqual(
      bare.map(([path]) => path),
      [],
      'npm view NAME@VERSION dist.integrity says it',
    );
  });

  it('takes what is bundled out of an archive that has one', () => {
    for (const [path, { inBundle }] of Object.entries(packages)) {
      if (!inBundle) continue;
      const around = fetched.some(([owner]) => path.startsWith(`${owner}/node_modules/`));
      assert.ok(around, path);
    }
  });

  it('names no registry', () => {
    assert.deepEqual(
      Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined),
      [],
    );
  });
});
