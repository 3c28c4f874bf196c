import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ACTIONS, type Detail, factsOf } from '../../contract/actions.ts';

const reference = (name: string) => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8');
const codes = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

describe('the table of actions', () => {
  it('has a row each in docs/reference/decisions.md', () => {
    const [, table = ''] = reference('decisions.md').split('## Actions');
    const rows = [...(table.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(([, action]) => action);
    assert.deepEqual(rows, ACTIONS);
  });

  it('is what docs/reference/contract.md says of actions and their statuses', () => {
    const [, text = ''] = reference('contract.md').split('## What an entry can do\n');
    const [first = ''] = text.split(';');
    assert.deepEqual(codes(first).slice(1), ACTIONS);
    for (const action of ['deny', 'redirect'] as const)
      assert.ok(text.replaceAll('\n', ' ').includes(`${factsOf(action).statuses.join(', ')} for a ${action}`), action);
  });

  it('is what docs/reference/cli.md says of options', () => {
    const [, section = ''] = reference('cli.md').split('## Actions\n');
    const rows = [...section.matchAll(/^\| (`--.*) \| (.*) \|$/gm)];
    const rowOf = (detail: Detail) => {
      const option = detail === 'req' || detail === 'res' ? `${detail}.set` : `--${detail} `;
      return rows.find(([, options = '']) => options.includes(option))?.[2] ?? assert.fail(detail);
    };
    const details: Detail[] = ['status', 'location', 'backend', 'split', 'body', 'req'];
    for (const detail of details)
      assert.deepEqual(
        codes(rowOf(detail)).sort(),
        ACTIONS.filter((action) => factsOf(action).obeys.includes(detail)).sort(),
        detail,
      );
    const ignoring = ACTIONS.filter((action) => !factsOf(action).obeys.includes('res'));
    assert.equal(rowOf('res'), `all but ${ignoring.map((action) => `\`${action}\``).join(' and ')}`);
  });
});
