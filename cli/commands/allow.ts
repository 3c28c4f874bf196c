import { Command } from 'commander';
import type { StoredEntry } from '../../blocklist/entry.ts';
import { toListSettings } from '../../config/list-settings.ts';
import { listActionProblem } from '../../contract/permitted-actions.ts';
import { sayEffect } from '../entries/effect.ts';
import { addWriteOptions, type WriteOptions, writeEntries } from '../entries/write-entries.ts';
import { addExamples } from '../help/examples.ts';
import { readSubjects } from '../options/arguments.ts';
import { addConfigOption, askedLists, type ConfigOptions, readSections } from '../options/config-option.ts';
import { addVarOption, outcomeOf, type VarOptions } from '../options/outcome-options.ts';

interface AllowOptions extends WriteOptions, VarOptions, ConfigOptions {
  readonly force?: true;
}

export function allowCommand(): Command {
  const command = new Command('allow').description(
    'let requests with these subjects pass: an allow overrides every other entry',
  );
  addConfigOption(addVarOption(addWriteOptions(command))).option(
    '--force',
    'write the entry even if it would not count, because its list is limited to other actions',
  );
  return addExamples(
    command,
    'haverdict allow 203.0.113.7 --until 2090-01-01T00:00Z --note T-1',
    'haverdict allow key:- --var req.set.x-plan=partner < partner-key.txt',
  ).action(allow);
}

async function allow(subjects: string[], options: AllowOptions): Promise<void> {
  const { lists } = await readSections(['lists'], options, process.env);
  const { listActions } = toListSettings(lists);
  const guard = { problemOf: (entry: StoredEntry) => listActionProblem(entry, listActions) };
  const outcome = outcomeOf({ ...options, action: 'allow' });
  await writeEntries(outcome, subjects, options, options.force ? undefined : guard, askedLists(lists, options));
  if (!options.json) await sayEffect('denied', readSubjects(subjects), options);
}
