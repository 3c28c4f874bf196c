import { parseLease, parseListRecord } from '../parse-records.ts';
import type { Lease, ListChanges, ListRecord, ListStore } from '../records.ts';
import type { Key } from '../store.ts';
import { RESERVED, TABLE } from '../table.ts';
import type { DynamoBulk } from './bulk.ts';
import { deleteIf, putIf, updateIf } from './conditional-writes.ts';
import { type DynamoConnection, keyAttributes } from './connection.ts';
import { toAttributes } from './item.ts';

/** How long an expired lease is kept for people to see. */
const ENDED_LEASE_SECONDS = 86_400;

/** The registered lists, and the leases to change one in bulk. */
export class DynamoLists implements ListStore {
  readonly #connection: DynamoConnection;
  readonly #bulk: DynamoBulk;

  constructor(connection: DynamoConnection, bulk: DynamoBulk) {
    this.#connection = connection;
    this.#bulk = bulk;
  }

  async *all(): AsyncGenerator<ListRecord> {
    for await (const item of this.#connection.query({
      KeyConditionExpression: '#key = :lists',
      ExpressionAttributeNames: { '#key': TABLE.partitionKey },
      ExpressionAttributeValues: { ':lists': { S: RESERVED.lists } },
      ConsistentRead: true,
    })) {
      const record = parseListRecord(item);
      if (record !== undefined) yield record;
    }
  }

  async find(name: string): Promise<ListRecord | undefined> {
    const [item] = await this.#bulk.read([recordKey(name)]);
    return item && parseListRecord(item);
  }

  create({ name, ...details }: ListRecord): Promise<boolean> {
    return putIf(this.#connection, {
      Item: toAttributes({ ...recordKey(name), ...details }),
      ConditionExpression: 'attribute_not_exists(#key)',
      ExpressionAttributeNames: { '#key': TABLE.partitionKey },
    });
  }

  /** Writes only the named details: others may change at the same time. */
  update(name: string, changed: ListChanges): Promise<boolean> {
    const details = Object.entries(changed);
    const set = details.filter(([, value]) => value !== undefined).map(([detail]) => `#${detail} = :${detail}`);
    const removed = details.filter(([, value]) => value === undefined).map(([detail]) => `#${detail}`);
    const clauses = [set.length > 0 && `SET ${set.join(', ')}`, removed.length > 0 && `REMOVE ${removed.join(', ')}`];
    return updateIf(this.#connection, {
      Key: keyAttributes(recordKey(name)),
      UpdateExpression: clauses.filter((clause) => clause !== false).join(' '),
      ConditionExpression: 'attribute_exists(#subject)',
      ExpressionAttributeNames: {
        '#subject': TABLE.partitionKey,
        ...Object.fromEntries(details.map(([detail]) => [`#${detail}`, detail])), // source and others are reserved words
      },
      ...(set.length > 0 && {
        ExpressionAttributeValues: toAttributes(
          Object.fromEntries(details.map(([detail, value]) => [`:${detail}`, value])),
        ),
      }),
    });
  }

  async delete(name: string): Promise<void> {
    await deleteIf(this.#connection, { Key: keyAttributes(recordKey(name)) });
  }

  /**
   * ```
   * A  put if free ──▶ taken
   * B        put if free ──▶ refused, read the lease ──▶ A until …
   * ```
   * A may release it between B's two steps; then B tries again.
   */
  async takeLease(list: string, { holder, until }: Lease, nowSeconds: number): Promise<Lease | undefined> {
    for (;;) {
      const isTaken = await putIf(this.#connection, {
        Item: toAttributes({ ...leaseKey(list), holder, until, expiresAt: until + ENDED_LEASE_SECONDS }),
        ConditionExpression: 'attribute_not_exists(#key) OR #until <= :now OR #holder = :holder',
        ExpressionAttributeNames: { '#key': TABLE.partitionKey, '#until': 'until', '#holder': 'holder' },
        ExpressionAttributeValues: { ':now': { N: String(nowSeconds) }, ':holder': { S: holder } },
      });
      if (isTaken) return undefined;
      const other = await this.leaseOf(list);
      if (other !== undefined && other.until > nowSeconds) return other;
    }
  }

  async releaseLease(list: string, holder: string): Promise<void> {
    await deleteIf(this.#connection, {
      Key: keyAttributes(leaseKey(list)),
      ConditionExpression: '#holder = :holder',
      ExpressionAttributeNames: { '#holder': 'holder' },
      ExpressionAttributeValues: { ':holder': { S: holder } },
    });
  }

  async leaseOf(list: string): Promise<Lease | undefined> {
    const [item] = await this.#bulk.read([leaseKey(list)]);
    return item && parseLease(item);
  }
}

function recordKey(name: string): Key {
  return { subject: RESERVED.lists, list: `@${name}` };
}

function leaseKey(list: string): Key {
  return { subject: RESERVED.leases, list: `@${list}` };
}
