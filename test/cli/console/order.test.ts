import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { argumentsOf, COMMANDS, parseOrder } from '../../../cli/console/order.ts';
import { everyCommand } from '../../../cli/program.ts';

/** Options of these commands that decide whose table is changed, what of this host is read, or that pass over a guard. */
const NEVER = [
  'force',
  'table',
  'region',
  'endpoint-url',
  'profile',
  'read-units',
  'config',
  'body-file',
  'socket',
  'agents',
  'inside',
  'refetch',
  'out',
  'agent',
];

describe('an order of the page', async () => {
  const all = await everyCommand();

  for (const name of COMMANDS) {
    const options = commandOf(name, all).options.map(({ long = '' }) => long.slice('--'.length));
    const taken = options.filter((option) => parseOrder(order(name, { [option]: 'x' })) !== undefined);

    it(`of ${name} has only options that the command has, and none that is for the command line alone`, () => {
      assert.ok(taken.length > 0);
      assert.deepEqual(
        taken.filter((option) => NEVER.includes(option)),
        [],
      );
      for (const unknown of ['nothing', 'constructor', '', '-list', 'list=x --force'])
        assert.equal(parseOrder(order(name, { [unknown]: 'x' })), undefined);
    });

    it(`of ${name} is read by the command as it is meant`, async () => {
      const parsed = parseOrder(order(name, { [taken[0] ?? '']: '--force' }));
      assert.ok(parsed);
      const given = { table: ['--table=t'], config: ['--config=c'], agents: ['--agents=127.0.0.1:1'] };
      const args = argumentsOf({ ...parsed, args: ['--yes', '-c'] }, given);
      assert.deepEqual(args.slice(-3), ['--', '--yes', '-c']);
      assert.equal(args.includes('--table=t'), options.includes('table'));
      if (options.includes('table')) assert.equal(args.includes('--config=c'), options.includes('config'));
    });
  }
});

function order(command: string, options: object): string {
  return JSON.stringify({ command, args: [], options });
}

function commandOf(name: string, all: readonly Command[]): Command {
  let [found, within] = [undefined as Command | undefined, all];
  for (const word of name.split(' ')) {
    found = within.find((one) => one.name() === word);
    within = found?.commands ?? [];
  }
  assert.ok(found, name);
  return found;
}
