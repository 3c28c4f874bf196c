import { DynamoBulk } from '../../blocklist/dynamodb/bulk.ts';
import { DynamoConnection, type DynamoOptions } from '../../blocklist/dynamodb/connection.ts';
import { FIRST_CANARY } from '../canary.ts';
import { canaryKey } from './canaries.ts';
import { DynamoLog } from './log.ts';

/** The log of a blocklist's changes in this region, whose table its canaries name; undefined where nothing writes one. */
export async function logOfTable(options: DynamoOptions): Promise<DynamoLog | undefined> {
  const blocklist = new DynamoConnection(options);
  const region = await blocklist.attempt('read', () => blocklist.client.config.region());
  const [canary] = await new DynamoBulk(blocklist).read([canaryKey(region, FIRST_CANARY)]);
  if (typeof canary?.log !== 'string') return undefined;
  return new DynamoLog(new DynamoConnection({ ...options, table: canary.log }));
}
