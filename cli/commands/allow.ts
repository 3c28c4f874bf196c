import { Command } from 'commander';
import { addWriteOptions, type WriteOptions, writeEntries } from '../write-entries.ts';

export function allowCommand(): Command {
  return addWriteOptions(new Command('allow').description('let these subjects pass, whatever any list says')).action(
    (subjects: string[], options: WriteOptions) => writeEntries('allow', subjects, options),
  );
}
