import pLimit from 'p-limit';
import { updateIf } from '../../blocklist/dynamodb/conditional-writes.ts';
import { type DynamoConnection, keyAttributes } from '../../blocklist/dynamodb/connection.ts';
import type { Key } from '../../blocklist/store.ts';
import { RESERVED } from '../../blocklist/table.ts';
import { CANARY_LIST } from '../canary.ts';

/** Few: the lookups of visitors use the same table. */
const WRITES_AT_ONCE = 4;

/** The canaries of one region, in the blocklist. */
export class DynamoCanaries {
  readonly #connection: DynamoConnection;
  readonly #region: string;
  readonly #logTable: string;

  constructor(connection: DynamoConnection, region: string, logTable: string) {
    this.#connection = connection;
    this.#region = region;
    this.#logTable = logTable;
  }

  /** Writes these, but only where the last write was before `beforeMs`. */
  async write(canaries: readonly string[], nowMs: number, beforeMs = Number.MAX_SAFE_INTEGER): Promise<void> {
    const limit = pLimit(WRITES_AT_ONCE);
    const write = (canary: string) =>
      updateIf(this.#connection, {
        Key: keyAttributes(canaryKey(this.#region, canary)),
        UpdateExpression: 'SET #at = :now, #log = :log',
        ConditionExpression: 'attribute_not_exists(#at) OR #at < :before',
        ExpressionAttributeNames: { '#at': 'at', '#log': 'log' },
        ExpressionAttributeValues: {
          ':now': { N: String(nowMs) },
          ':before': { N: String(beforeMs) },
          ':log': { S: this.#logTable },
        },
      });
    await Promise.all(canaries.map((canary) => limit(() => write(canary))));
  }
}

/** The item of a canary. */
export function canaryKey(region: string, canary: string): Key {
  return { subject: RESERVED.canaryOf(region, canary), list: CANARY_LIST };
}
