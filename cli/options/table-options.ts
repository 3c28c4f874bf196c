import { type Command, Option } from 'commander';
import { isLocal, LOCAL_ACCESS } from '../../blocklist/dynamodb/local-access.ts';
import type { Blocklist } from '../../blocklist/store.ts';
import { TABLE } from '../../blocklist/table.ts';
import type { Log } from '../../updates/append.ts';
import { usageError } from '../exit/cli-error.ts';
import { checkProfile } from './profile.ts';

export interface TableOptions {
  readonly table: string;
  readonly region?: string;
  readonly endpointUrl?: string;
  readonly profile?: string;
}

/** A second, of what commands read: a quarter of the default of `maxReadUnits`. */
const READ_UNITS = 500;

/** Adds the options of every command that reads or writes the table. */
export function addTableOptions(command: Command): Command {
  return command
    .addOption(new Option('--table <name>', 'the DynamoDB table').env('HAVERDICT_TABLE').default(TABLE.defaultName))
    .option('--region <region>', 'the AWS region of the table (default: as in the AWS CLI)')
    .addOption(
      new Option('--endpoint-url <url>', 'a DynamoDB endpoint other than AWS').env('AWS_ENDPOINT_URL_DYNAMODB'),
    )
    .option('--profile <name>', 'the AWS profile to use (default: as in the AWS CLI)');
}

/** Opens the table that the options name. Loads the SDK here, so that commands without a table start fast. */
export async function openBlocklist(options: TableOptions): Promise<Blocklist> {
  const [{ dynamoBlocklist }, { ReadPace }] = await Promise.all([
    import('../../blocklist/dynamodb/blocklist.ts'),
    import('../../blocklist/dynamodb/read-pace.ts'),
  ]);
  const at = place(options);
  const isShared = options.endpointUrl === undefined || !isLocal(options.endpointUrl);
  return dynamoBlocklist({ ...at, readPace: isShared ? new ReadPace(READ_UNITS) : undefined });
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
