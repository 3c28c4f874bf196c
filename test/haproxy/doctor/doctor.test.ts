import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findHaproxy, SPOE_FILE } from '../../../dev/haproxy.ts';
import { CHECKS } from '../../../haproxy/doctor/doctor.ts';
import { HAPROXY_VERSIONS } from '../../../haproxy/versions.ts';
import { temporaryFolder } from '../../support/config-file.ts';
import { haproxyCheck } from '../../support/haproxy-check.ts';
import {
  betweenMarks,
  bothModes,
  everyEvent,
  findingsIn,
  generated,
  grouped,
  type HaproxySet,
  handWritten,
  recent,
  response,
  tcp,
  variants,
} from './good-files.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

const FILES = { config: 'haproxy.cfg', spoe: SPOE_FILE } as const;

const GOOD: Readonly<Record<string, HaproxySet>> = {
  'by hand': handWritten(),
  'between marks': betweenMarks(),
  'with a group': grouped(),
  'in mode tcp': tcp(),
  'for responses': response(),
  'every event': everyEvent(),
  'both modes': bothModes('on-client-session'),
  'both modes, with responses': bothModes('on-tcp-response'),
  'recent addresses': recent(),
  ...variants(),
};

describe('the doctor', () => {
  for (const mutation of MUTATIONS)
    it(`names ${mutation.finding} (${mutation.by}) and nothing else`, () => {
      const found = findingsIn(mutation.files).map(({ id, place }) => [id, place.file, place.line]);
      assert.deepEqual(found, [[mutation.finding, FILES[mutation.at[0]], lineOf(mutation)]]);
    });

  it('has a mutation for every finding', () => {
    const without = Object.keys(CHECKS).filter((id) => !MUTATIONS.some(({ finding }) => finding === id));
    assert.deepEqual(without, []);
  });

  for (const version of HAPROXY_VERSIONS)
    for (const policy of ['open', 'closed'] as const)
      it(`finds nothing in what is generated for ${version} under ${policy}`, () => {
        assert.deepEqual(findingsIn(generated(policy, { haproxy: { prefix: 'a.b_C', version } })), []);
      });

  for (const [name, files] of Object.entries(GOOD))
    it(`finds nothing in what is rightly written: ${name}`, () => assert.deepEqual(findingsIn(files), []));
});

describe('haproxy -c', () => {
  it('says of each mutation what the table says, and of most nothing', (t) => {
    const folder = temporaryFolder(t);
    const said = MUTATIONS.map((mutation) => [name(mutation), verdictOn(folder, mutation.files)]);
    assert.deepEqual(
      Object.fromEntries(said),
      Object.fromEntries(MUTATIONS.map((mutation) => [name(mutation), mutation.haproxy])),
    );
  });

  it('takes the good files without a word', (t) => {
    const folder = temporaryFolder(t);
    for (const [name, files] of Object.entries(GOOD)) assert.equal(verdictOn(folder, files), 'silent', name);
  });
});

function name({ finding, by }: Mutation): string {
  return `${finding}: ${by}`;
}

/** The one line with the text; a text that is empty means the file as a whole. */
function lineOf({ files, at: [file, text] }: Mutation): number | undefined {
  if (text === '') return undefined;
  const at = files[file].split('\n').findIndex((line) => line.includes(text) && !/^\s*#(?! haverdict )/.test(line));
  assert.ok(at >= 0, `no line has ${text}`);
  return at + 1;
}

function verdictOn(folder: string, { config, spoe }: HaproxySet): 'refuses' | 'warns' | 'silent' {
  writeFileSync(join(folder, 'haproxy.cfg'), config);
  writeFileSync(join(folder, SPOE_FILE), spoe);
  const { status, stdout, stderr } = haproxyCheck(findHaproxy(), folder);
  if (status !== 0) return 'refuses';
  return (stdout + stderr).includes('[WARNING]') ? 'warns' : 'silent';
}
