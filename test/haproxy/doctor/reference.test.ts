import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Check } from '../../../haproxy/doctor/check.ts';
import { CHECKS } from '../../../haproxy/doctor/doctor.ts';
import { findingsIn } from './good-files.ts';
import { MUTATIONS } from './mutations.ts';

const PAGE = readFileSync(new URL('../../../docs/reference/doctor.md', import.meta.url), 'utf8');

describe('docs/reference/doctor.md', () => {
  it('lists every finding with its severity, why it matters and what to write, and no other', () => {
    const rows = [...PAGE.matchAll(/^\| `([a-z-]+)` \| (.*) \|$/gm)].map(([, id, cells]) => [id, cells]);
    const checks = Object.entries<Check>(CHECKS).map(([id, { severity, why, write }]) => [
      id,
      [severity, why, `\`${write}\``].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
    ]);
    assert.deepEqual(rows, checks);
  });
});

describe('what to write', () => {
  it('is filled in for every finding', () => {
    const written = MUTATIONS.flatMap(({ files }) => findingsIn(files).map(({ write }) => write));
    assert.deepEqual(
      written.filter((write) => /<\w+>/.test(write)),
      [],
    );
  });

  it('explains a finding only by findings that there are', () => {
    const named = Object.values<Check>(CHECKS).flatMap(({ unless = [] }) => unless);
    assert.deepEqual(
      named.filter((id) => !(id in CHECKS)),
      [],
    );
  });
});
