import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command, Option } from 'commander';
import { EXIT } from '../../cli/exit/cli-error.ts';
import { everyCommand, run } from '../../cli/program.ts';

/** The names in the help of values that are numbers, or read as some: durations, times, ports. */
const NUMERIC = /<(number|n|ms|seconds|duration|time|code|address|addresses)>/;

describe('an option that takes a number', async () => {
  const options = (await everyCommand()).flatMap((command) => numericOptions(command, []));

  it('is there in most commands', () => assert.ok(options.length > 50));

  for (const { path, option, positionals } of options)
    it(`refuses a word in one line: ${path.join(' ')} ${option.flags}`, async () => {
      for (const value of ['abc', '', '1e999', '\n']) {
        let complaint = '';
        const write = (text: string) => {
          complaint += text;
          return true;
        };
        const code = await run(['node', 'haverdict', ...path, `${option.long}=${value}`, ...positionals], { write });
        assert.equal(code, EXIT.usage, complaint);
        assert.match(complaint, /^haverdict: [^\n]+\n$/);
      }
    });
});

function numericOptions(command: Command, parents: readonly string[]) {
  const path = [...parents, command.name()];
  const positionals = command.registeredArguments.map(() => '203.0.113.7');
  const own = command.options
    .filter(({ flags }) => NUMERIC.test(flags))
    .map((option) => ({ path, option, positionals }));
  const below: { path: string[]; option: Option; positionals: string[] }[] = command.commands.flatMap((sub) =>
    numericOptions(sub, path),
  );
  return [...own, ...below];
}
