import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { z } from 'zod';
import { SETTINGS } from '../../infra/deployment/settings.ts';
import { agentLimits, readUnits } from '../../infra/limits.ts';
import { namesBelow, tableBelow } from './reference-page.ts';
import { settingsOf, templateOf } from './synthesized.ts';

const CAPACITY = readFileSync(new URL('../../docs/guides/capacity.md', import.meta.url), 'utf8');

describe('docs/reference/infra.md', () => {
  it('lists every setting as it is, and no other', () => {
    assert.deepEqual(tableBelow('| Setting |'), Object.keys(SETTINGS).map(settingRow));
  });

  it('lists every output, and no other', () => {
    const { Outputs } = templateOf({ agentPrincipal: 'arn:aws:iam::123456789012:root' }).toJSON();
    assert.deepEqual(namesBelow('| Output |'), Object.keys(Outputs).sort());
  });

  it('lists every alarm, and no other', () => {
    const ids = Object.keys(templateOf().findResources('AWS::CloudWatch::Alarm'));
    assert.deepEqual(namesBelow('| Alarm |'), ids.map((id) => id.slice('BackendAlarms'.length, -8)).sort());
  });
});

describe('docs/guides/capacity.md', () => {
  it('has the limits that follow from the function, as the stack reckons them', () => {
    const rows = tableBelow('| `reservedConcurrency` | `agents` |', CAPACITY).map((row) =>
      row.split('|').slice(1, -1).map(Number),
    );
    assert.ok(rows.length >= 4);
    for (const [copies = 0, agents = 0, ...limits] of rows) {
      const { maxCallsPerSecond, maxConcurrent } = agentLimits(copies, agents) ?? {};
      assert.deepEqual(limits, [maxCallsPerSecond, maxConcurrent, readUnits(copies)], `${copies}, ${agents}`);
    }
  });

  it('has the configuration of the agent that the stack would print', () => {
    const chapter = CAPACITY.slice(CAPACITY.indexOf('## One number'));
    const [deployment = '', config = ''] = [...chapter.matchAll(/```yaml\n([^`]*)```/g)].map(([, yaml]) => yaml);
    const { reservedConcurrency, agents } = settingsOf(parse(deployment));
    const { url, auth, region, ...limits } = parse(config).backend;
    assert.deepEqual(limits, { ...agentLimits(reservedConcurrency, agents) });
  });
});

function settingRow(name: string): string {
  const schema = SETTINGS[name as keyof typeof SETTINGS]; // it is a key of it
  const fallback = schema.safeParse(undefined).data;
  const shown = fallback === undefined ? '–' : `\`${JSON.stringify(fallback)}\``;
  return `| \`${name}\` | ${mustBe(schema)} | ${shown} | ${schema.description} |`;
}

/** What the error message says to a value that is never right. */
function mustBe(schema: z.ZodType): string {
  return schema.safeParse(null).error?.issues[0]?.message ?? '';
}
