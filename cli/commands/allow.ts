import { Command } from 'commander';
import { addVarOption, outcomeOf, type VarOptions } from '../outcome-options.ts';
import { addWriteOptions, type WriteOptions, writeEntries } from '../write-entries.ts';

const EXAMPLES = `
Examples:
  haverdict allow 203.0.113.7 --until 2030-01-01T00:00Z --note T-1
  haverdict allow key:partner --var req.set.x-plan=partner`;

export function allowCommand(): Command {
  return addVarOption(
    addWriteOptions(new Command('allow').description('let these subjects pass, whatever any list says')),
  )
    .addHelpText('after', EXAMPLES)
    .action((subjects: string[], options: WriteOptions & VarOptions) =>
      writeEntries(outcomeOf({ ...options, action: 'allow' }), subjects, options),
    );
}
