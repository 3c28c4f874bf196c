import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../../dev/haproxy-builds.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { haproxyCheck } from '../../support/haproxy-check.ts';
import type { Changes } from '../../support/settings.ts';
import { BESIDE, findingsIn, generated, type HaproxySet } from './good-files.ts';

/** A configuration that people have, as an edit of what is generated, and what must come of it. */
export interface Situation {
  readonly name: string;
  readonly changes?: Changes;
  readonly edit: (config: string) => string;
  /** Files beside the two, by name. */
  readonly others?: Readonly<Record<string, string>>;
  /** Findings, with a part of their line. */
  readonly found: readonly (readonly [id: string, line: string])[];
  /** What `haproxy -c` says; not asked where other files are missing on purpose. */
  readonly haproxy?: 'takes' | 'refuses';
}

export const above = (text: string) => (config: string) => config.replace(/ {4}default_backend origin\n/, `${text}$&`);
export const section = (text: string) => (config: string) => config.replace(BESIDE, () => `\n${text}`);
export const both =
  (...edits: readonly ((config: string) => string)[]) =>
  (config: string) =>
    edits.reduce((before, edit) => edit(before), config);
export const frontend = (rules: string, bind = ':8081', target = 'origin') =>
  section(`frontend other\n    bind ${bind}\n${rules}    default_backend ${target}\n`);

/** Tests each of them with the doctor and with `haproxy -c`. */
export function testSituations(build: HaproxyBuild, situations: readonly Situation[]): void {
  for (const { name, changes = {}, edit, others = {}, found, haproxy } of situations)
    it(name, (t) => {
      const files = generated('open', { ...changes, haproxy: { version: build.version, ...changes.haproxy } });
      const [, mode = ''] = /^ {4}mode (tcp|spop)$/m.exec(files.config) ?? [];
      const set = { ...files, config: edit(files.config).replaceAll('mode MODE', `mode ${mode}`) };
      const lines = set.config.split('\n');
      const seen = findingsIn(set, others).map(({ id, place }) => [id, lines[(place.line ?? 0) - 1] ?? ''] as const);
      assert.deepEqual(
        seen.map(([id]) => id),
        found.map(([id]) => id),
      );
      for (const [at, [, line]] of found.entries()) assert.match(seen[at]?.[1] ?? '', new RegExp(line));
      if (haproxy !== undefined) assert.equal(verdictOn(build, temporaryFolder(t), set, others), haproxy);
    });
}

function verdictOn(
  { binary }: HaproxyBuild,
  folder: string,
  { config, spoe }: HaproxySet,
  others: Readonly<Record<string, string>>,
): 'takes' | 'refuses' {
  for (const [name, text] of Object.entries({ ...others, 'haproxy.cfg': config, [SPOE_FILE]: spoe }))
    writeFileSync(join(folder, name), text);
  const { status, stderr } = haproxyCheck(binary, folder);
  assert.ok(status === 0 || /ALERT/.test(stderr), stderr);
  return status === 0 ? 'takes' : 'refuses';
}
