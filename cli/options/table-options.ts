import { type Command, Option } from 'commander';
import { isLocal, LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import type { ReadPace } from '../../blocklist/dynamodb/read-pace.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { TABLE } from '../../blocklist/table.ts';
import { printable } from '../../contract/printable.ts';
import type { Log } from '../../updates/append.ts';
import { usageError } from '../exit/cli-error.ts';
import { checkProfile } from './profile.ts';

export interface TableOptions {
  readonly table: string;
  readonly region?: string;
  readonly endpointUrl?: string;
  readonly profile?: string;
  readonly readUnits?: number;
}

/** Adds the options of every command that reads or writes the table. */
export function addTableOptions(command: Command): Command {
  return command
    .addOption(new Option('--table <name>', 'the DynamoDB table').env('HAVERDICT_TABLE').default(TABLE.defaultName))
    .option('--region <region>', 'the AWS region of the table (default: as in the AWS CLI)')
    .addOption(
      new Option('--endpoint-url <url>', 'a DynamoDB endpoint other than AWS').env('AWS_ENDPOINT_URL_DYNAMODB'),
    )
    .option('--profile <name>', 'the AWS profile to use (default: as in the AWS CLI)')
    .option(
      '--read-units <number>',
      'read at most so many units a second (default: half of what the table serves)',
      readUnits,
    );
}

/** Opens the table that the options name. Loads the SDK here, so that commands without a table start fast. */
export async function openBlocklist(options: TableOptions): Promise<Blocklist> {
  const { dynamoBlocklist } = await import('../../blocklist/dynamodb/blocklist.ts');
  return dynamoBlocklist({ ...place(options), readPace: await readPace(options) });
}

/** A DynamoDB on this machine is nobody else's. */
async function readPace(options: TableOptions): Promise<ReadPace | undefined> {
  const { endpointUrl, readUnits } = options;
  if (readUnits === undefined && endpointUrl !== undefined && isLocal(endpointUrl)) return undefined;
  const [{ ReadPace }, { describedReadShare, FIRST_READ_UNITS }] = await Promise.all([
    import('../../blocklist/dynamodb/read-pace.ts'),
    import('../../blocklist/dynamodb/read-share.ts'),
  ]);
  if (readUnits !== undefined) return new ReadPace(readUnits);
  // Most commands read less, and need not ask.
  const later = { afterUnits: FIRST_READ_UNITS, unitsPerSecond: () => describedReadShare(place(options)) };
  return new ReadPace(FIRST_READ_UNITS, undefined, undefined, later);
}

/** Opens the log of that table's changes; undefined where nothing writes one. */
export async function openLog(options: TableOptions): Promise<Log | undefined> {
  const { logOfTable } = await import('../../updates/dynamodb/log-of-table.ts');
  return logOfTable(place(options));
}

function place(options: TableOptions) {
  return {
    table: options.table,
    connectTimeoutMs: 3000,
    requestTimeoutMs: 10_000,
    client: access(options, process.env),
  };
}

/** Region and credentials. A local DynamoDB needs no AWS account: without credentials, dummy ones are sent. */
function access({ endpointUrl, region, profile }: TableOptions, env: NodeJS.ProcessEnv): object {
  if (endpointUrl !== undefined && !URL.canParse(endpointUrl))
    throw usageError(`--endpoint-url "${endpointUrl}" is not a valid URL: use one like http://127.0.0.1:8000`);
  const asked = profile ?? (env.AWS_ACCESS_KEY_ID === undefined ? env.AWS_PROFILE : undefined);
  if (asked !== undefined) checkProfile(asked, env);
  const named = profile ?? env.AWS_PROFILE ?? env.AWS_ACCESS_KEY_ID;
  return {
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    ...(endpointUrl !== undefined && isLocal(endpointUrl) && named === undefined && LOCAL_ACCESS),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  };
}

function readUnits(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageError(`--read-units "${printable(text)}" is not a whole number from 1 to 999999`);
}
