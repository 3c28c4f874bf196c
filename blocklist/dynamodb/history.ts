import { randomBytes } from 'node:crypto';
import { nameIn, parseChange } from '../parse-records.ts';
import type { Change, HistoryStore, RecordedChange, WantedChanges } from '../records.ts';
import { HISTORY_DAYS, RESERVED, TABLE } from '../table.ts';
import { putIf } from './conditional-writes.ts';
import type { DynamoConnection } from './connection.ts';
import { textsOf, toAttributes } from './item.ts';

const DAY_MS = 86_400_000;

/** The history of each list; every record expires by itself. */
export class DynamoHistory implements HistoryStore {
  readonly #connection: DynamoConnection;
  /** The lists that this process has registered as having a history. */
  readonly #registered = new Set<string>();

  constructor(connection: DynamoConnection) {
    this.#connection = connection;
  }

  /** A random part of the key distinguishes changes of the same millisecond. */
  async record({ list, at, ...change }: Change): Promise<void> {
    const expiresAt = Math.floor((Date.parse(at) + HISTORY_DAYS * DAY_MS) / 1000);
    if (!this.#registered.has(list)) await this.#put(RESERVED.histories, `@${list}`, { expiresAt });
    this.#registered.add(list);
    await this.#put(RESERVED.historyOf(list), `${at}#${randomBytes(6).toString('hex')}`, { ...change, expiresAt });
  }

  async *of(list: string, { since, subject }: WantedChanges = {}): AsyncGenerator<RecordedChange> {
    const items = this.#connection.query({
      ScanIndexForward: false,
      ConsistentRead: true,
      KeyConditionExpression: since === undefined ? '#key = :key' : '#key = :key AND #at >= :since',
      ...(subject !== undefined && { FilterExpression: 'contains(#subjects, :subject)' }),
      ExpressionAttributeNames: {
        '#key': TABLE.partitionKey,
        ...(since !== undefined && { '#at': TABLE.sortKey }),
        ...(subject !== undefined && { '#subjects': 'subjects' }),
      },
      ExpressionAttributeValues: toAttributes({
        ':key': RESERVED.historyOf(list),
        ':since': since,
        ':subject': subject,
      }),
    });
    for await (const { subjects, ...item } of items) {
      const named = subjects === undefined ? {} : { subjects: textsOf(subjects) };
      const change = parseChange(list, { ...item, ...named });
      if (change !== undefined) yield change;
    }
  }

  async *lists(): AsyncGenerator<string> {
    for await (const item of this.#connection.query({
      KeyConditionExpression: '#key = :key',
      ExpressionAttributeNames: { '#key': TABLE.partitionKey },
      ExpressionAttributeValues: { ':key': { S: RESERVED.histories } },
    })) {
      const name = nameIn(item);
      if (name !== undefined) yield name;
    }
  }

  async #put(subject: string, list: string, attributes: object): Promise<void> {
    await putIf(this.#connection, { Item: toAttributes({ subject, list, ...attributes }) });
  }
}
