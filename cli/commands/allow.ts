import { Command } from 'commander';
import { askedLists } from '../../agent/config/lists.ts';
import { notWithin } from '../../contract/list-actions.ts';
import type { StoredEntry } from '../../functions/blocklist/entry.ts';
import { addSectionOption, type ConfigOptions, readSections } from '../config-option.ts';
import { addExamples } from '../examples.ts';
import { addVarOption, outcomeOf, type VarOptions } from '../outcome-options.ts';
import { addWriteOptions, type WriteOptions, writeEntries } from '../write-entries.ts';

interface AllowOptions extends WriteOptions, VarOptions, ConfigOptions {
  readonly force?: true;
}

export function allowCommand(): Command {
  const command = new Command('allow').description('let these subjects pass, whatever any list says');
  addSectionOption(addVarOption(addWriteOptions(command))).option(
    '--force',
    'also where it would not count, because its list is held to other actions',
  );
  return addExamples(
    command,
    'haverdict allow 203.0.113.7 --until 2090-01-01T00:00Z --note T-1',
    'haverdict allow key:- --var req.set.x-plan=partner < partner-key.txt',
  ).action(allow);
}

async function allow(subjects: string[], options: AllowOptions): Promise<void> {
  const { lists } = await readSections(['lists'], options, process.env);
  const { listActions } = askedLists(lists);
  const guard = { problemOf: (entry: StoredEntry) => notWithin(entry, listActions) };
  await writeEntries(outcomeOf({ ...options, action: 'allow' }), subjects, options, options.force ? undefined : guard);
}
