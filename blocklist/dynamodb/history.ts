import { randomBytes } from 'node:crypto';
import { nameIn, parseChange, parseEdits } from '../parse-records.ts';
import type { Change, HistoryStore, RecordedChange, RecordedEdits, Undo, WantedChanges } from '../records.ts';
import { HISTORY_DAYS, RESERVED, REVERT_DAYS, TABLE } from '../table.ts';
import { putIf } from './conditional-writes.ts';
import type { DynamoConnection } from './connection.ts';
import { packEdits, unpackEdits } from './edits.ts';
import { bytesOf, textsOf, toAttributes } from './item.ts';

const DAY_MS = 86_400_000;

/** The history of each list; every record expires by itself. */
export class DynamoHistory implements HistoryStore {
  readonly #connection: DynamoConnection;
  /** The lists that this process has registered as having a history. */
  readonly #registered = new Set<string>();

  constructor(connection: DynamoConnection) {
    this.#connection = connection;
  }

  async record({ list, at, ...change }: Change, undo?: Undo): Promise<void> {
    const expiresAt = daysAfter(at, HISTORY_DAYS);
    if (undo !== undefined && change.run !== undefined) await this.#putEdits(change.run, { list, at, ...change }, undo);
    if (!this.#registered.has(list)) await this.#put(RESERVED.histories, `@${list}`, { expiresAt });
    this.#registered.add(list);
    await this.#put(RESERVED.historyOf(list), timeKey(at), { ...change, expiresAt });
  }

  async #putEdits(run: string, { list, at, by, source }: Change, { edits, registration }: Undo): Promise<void> {
    const common = { of: list, by, source, registration, expiresAt: daysAfter(at, REVERT_DAYS) };
    for (const packed of packEdits(edits))
      await this.#put(RESERVED.editsOf(run), timeKey(at), { ...common, edits: { B: packed } });
  }

  async *editsOf(run: string): AsyncGenerator<RecordedEdits> {
    for await (const { edits, ...item } of this.#connection.query({
      ScanIndexForward: false,
      ConsistentRead: true,
      KeyConditionExpression: '#key = :key',
      ExpressionAttributeNames: { '#key': TABLE.partitionKey },
      ExpressionAttributeValues: { ':key': { S: RESERVED.editsOf(run) } },
    })) {
      const part = parseEdits(item);
      if (part !== undefined) yield { ...part, edits: unpackEdits(bytesOf(edits)) };
    }
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

/** A random part distinguishes records of the same millisecond. */
function timeKey(at: string): string {
  return `${at}#${randomBytes(6).toString('hex')}`;
}

/** Epoch seconds. */
function daysAfter(at: string, days: number): number {
  return Math.floor((Date.parse(at) + days * DAY_MS) / 1000);
}
