import pLimit from 'p-limit';
import { updateIf } from '../../blocklist/dynamodb/conditional-writes.ts';
import { type DynamoConnection, keyAttributes } from '../../blocklist/dynamodb/connection.ts';
import { RESERVED } from '../../blocklist/table.ts';
import { CANARY_LIST } from '../canary.ts';

/** Few: the lookups of visitors use the same table. */
const WRITES_AT_ONCE = 4;

/** The canaries of one region, in the blocklist. */
export class DynamoCanaries {
  readonly #connection: DynamoConnection;
  readonly #region: string;

  constructor(connection: DynamoConnection, region: string) {
    this.#connection = connection;
    this.#region = region;
  }

  /** Writes these, but only where the last write was before `beforeMs`. */
  async write(canaries: readonly string[], nowMs: number, beforeMs = Number.MAX_SAFE_INTEGER): Promise<void> {
    const limit = pLimit(WRITES_AT_ONCE);
    const write = (canary: string) =>
      updateIf(this.#connection, {
        Key: keyAttributes({ subject: RESERVED.canaryOf(this.#region, canary), list: CANARY_LIST }),
        UpdateExpression: 'SET #at = :now',
        ConditionExpression: 'attribute_not_exists(#at) OR #at < :before',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':now': { N: String(nowMs) }, ':before': { N: String(beforeMs) } },
      });
    await Promise.all(canaries.map((canary) => limit(() => write(canary))));
  }
}
