import { Command, Option } from 'commander';
import { DENY_STATUSES } from '../../contract/check.ts';
import { addWriteOptions, type WriteOptions, writeEntries } from '../write-entries.ts';

export function blockCommand(): Command {
  const status = new Option('--status <code>', 'the HTTP status they are denied with');
  return addWriteOptions(new Command('block').description('deny the requests of these subjects'))
    .addOption(status.choices(DENY_STATUSES.map(String)))
    .action((subjects: string[], options: WriteOptions) => writeEntries('deny', subjects, options));
}
