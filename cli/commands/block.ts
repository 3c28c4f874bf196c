import { Command } from 'commander';
import type { BlocklistSettings } from '../../config/blocklist-schema.ts';
import { toListSettings } from '../../config/list-settings.ts';
import { type ListActions, listActionProblem } from '../../contract/permitted-actions.ts';
import { sayEffect } from '../entries/effect.ts';
import { addWriteOptions, type Guard, type WriteOptions, writeEntries } from '../entries/write-entries.ts';
import { lookedUpInstead } from '../guards/ipv6-prefix.ts';
import { protectedSet } from '../guards/protected.ts';
import { addExamples } from '../help/examples.ts';
import { readSubjects } from '../options/arguments.ts';
import { addConfigOption, askedLists, type ConfigOptions, readSections } from '../options/config-option.ts';
import { addOutcomeOptions, type OutcomeOptions, outcomeOf } from '../options/outcome-options.ts';

interface BlockOptions extends WriteOptions, OutcomeOptions, ConfigOptions {
  readonly force?: true;
}

export function blockCommand(): Command {
  const command = new Command('block').description(
    'deny requests with these subjects, or apply another --action to them',
  );
  addConfigOption(addOutcomeOptions(addWriteOptions(command))).option(
    '--force',
    'write the entry even if it would block protected addresses or nearly everybody, never match, or not count',
  );
  return addExamples(
    command,
    'haverdict block 203.0.113.0/24 --for 24h --reason abuse',
    'haverdict block host:old.example --action redirect --location https://new.example/ --status 301',
    'haverdict block cookie.beta:1 --action route --split blue=90,green=10',
    'haverdict block header.x-plan:gold --action tag --var req.set.x-plan=gold --var res.del.server=1',
    'haverdict block country:XX --status 451 --body "not available where you are"',
    'haverdict block key:- --reason leaked < leaked-key.txt',
  ).action(block);
}

async function block(subjects: string[], options: BlockOptions): Promise<void> {
  const outcome = outcomeOf(options);
  const { blocklist, ipv6Prefix, lists } = await readSections(
    ['blocklist', 'ipv6Prefix', 'lists'],
    options,
    process.env,
  );
  const end = options.for ?? (options.until === undefined ? blocklist.manualExpiry : undefined);
  const guard = options.force ? undefined : guardOf(blocklist, ipv6Prefix, toListSettings(lists).listActions);
  const expiring = { ...options, ...(end !== undefined && { for: end }) };
  await writeEntries(outcome, subjects, expiring, guard, askedLists(lists, options));
  if (!options.json) await sayEffect('allowed', readSubjects(subjects), options);
}

/** Refuses protected subjects, subjects that agents never look up, and actions that the list may not have. */
function guardOf(blocklist: BlocklistSettings, ipv6Prefix: number, listActions: ListActions): Guard {
  const { problemOf } = protectedSet(blocklist, process.env);
  return {
    problemOf(entry) {
      const instead = lookedUpInstead(entry.subject, ipv6Prefix);
      if (instead === undefined) return listActionProblem(entry, listActions) ?? problemOf(entry);
      return `${entry.subject} would never match: ipv6Prefix is ${ipv6Prefix}, so ${instead} is looked up instead`;
    },
  };
}
