import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everyCommand, run } from '../../../cli/program.ts';

const commands = await everyCommand();

async function complaintOf(args: readonly string[]): Promise<[status: number, complaint: string]> {
  let complaint = '';
  const write = (text: string) => {
    complaint += text;
    return true;
  };
  return [await run(['node', 'haverdict', ...args], { write }), complaint];
}

describe('an option without its value', () => {
  for (const command of commands)
    for (const { flags, long, short, required } of command.options) {
      if (!required) continue;
      it(`${command.name()} ${flags} does not take the next option as its value`, async () => {
        for (const option of [long, short]) {
          if (!option) continue;
          for (const next of ['--dry-run', '--mistyped', '-c']) {
            const [status, complaint] = await complaintOf([command.name(), option, next]);
            assert.equal(status, 2);
            assert.ok(complaint.startsWith(`haverdict: ${option} has no value: ${next} follows it`), complaint);
            assert.match(complaint, /^[^\n]*\n$/);
          }
        }
      });
    }

  it('may look like an option where it is said to be the value, and behind --', async () => {
    for (const args of [
      ['block', '--reason=--dry-run', 'bad'],
      ['block', '--', '--reason', '--dry-run'],
      ['block', '--reason', '-', 'bad'],
    ]) {
      const [, complaint] = await complaintOf(args);
      assert.match(complaint, /is not an address/);
    }
  });
});
