import { Command } from 'commander';
import { addExamples } from '../examples.ts';
import { addVarOption, outcomeOf, type VarOptions } from '../outcome-options.ts';
import { addWriteOptions, type WriteOptions, writeEntries } from '../write-entries.ts';

export function allowCommand(): Command {
  const command = new Command('allow').description('let these subjects pass, whatever any list says');
  return addExamples(
    addVarOption(addWriteOptions(command)),
    'haverdict allow 203.0.113.7 --until 2090-01-01T00:00Z --note T-1',
    'haverdict allow key:- --var req.set.x-plan=partner < partner-key.txt',
  ).action((subjects: string[], options: WriteOptions & VarOptions) =>
    writeEntries(outcomeOf({ ...options, action: 'allow' }), subjects, options),
  );
}
