import { Command } from 'commander';
import { addOutcomeOptions, type OutcomeOptions, outcomeOf } from '../outcome-options.ts';
import { addWriteOptions, type WriteOptions, writeEntries } from '../write-entries.ts';

const EXAMPLES = `
Examples:
  haverdict block 203.0.113.0/24 --for 24h --reason abuse
  haverdict block host:old.example --action redirect --location https://new.example/ --status 301
  haverdict block key:beta --action route --split blue=90,green=10
  haverdict block key:gold --action tag --var req.set.x-plan=gold --var res.del.server=1
  haverdict block country:XX --status 451 --body "not available where you are"`;

export function blockCommand(): Command {
  const command = new Command('block').description(
    'deny the requests of these subjects, or do with them what --action says',
  );
  return addOutcomeOptions(addWriteOptions(command))
    .addHelpText('after', EXAMPLES)
    .action((subjects: string[], options: WriteOptions & OutcomeOptions) =>
      writeEntries(outcomeOf(options), subjects, options),
    );
}
