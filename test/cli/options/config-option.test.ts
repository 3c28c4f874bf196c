import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../../cli/exit/cli-error.ts';
import { DEFAULT_CONFIG, readSettings } from '../../../cli/options/config-option.ts';
import { everyCommand } from '../../../cli/program.ts';

describe('the configuration file of a command', async () => {
  for (const command of await everyCommand()) {
    const option = command.options.find(({ long }) => long === '--config');
    if (option !== undefined)
      it(`is by default where the packages have it: ${command.name()}`, () =>
        assert.match(option.description, new RegExp(`default: ${DEFAULT_CONFIG} if it exists`)));
  }

  it('is asked for in one line where there is none, and variables name no backend', () =>
    assert.rejects(readSettings({}, { HAVERDICT_LISTEN: 'tcp://127.0.0.1:9000' }), {
      exitCode: EXIT.config,
      message: `there is no ${DEFAULT_CONFIG}: name the configuration file with -c FILE or HAVERDICT_CONFIG`,
    }));

  it('is not needed where variables name a backend', async () => {
    const { backend } = await readSettings({}, { HAVERDICT_BACKEND_URL: 'http://127.0.0.1:1' });
    assert.equal(backend.targets.length, 1);
  });
});
