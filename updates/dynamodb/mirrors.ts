import { type AttributeValue, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { putIf } from '../../blocklist/dynamodb/conditional-writes.ts';
import type { DynamoConnection } from '../../blocklist/dynamodb/connection.ts';
import { type Manifest, type Mirrors, packManifest, unpackManifest } from '../manifest.ts';
import { UPDATES_TABLE } from '../table.ts';
import { atOf, keyOf } from './key.ts';

const MANIFEST = keyOf('mirror', 'manifest');
const LEASE = keyOf('mirror', 'lease');

/** The mirrors in the table of the log. */
export class DynamoMirrors implements Mirrors {
  readonly #connection: DynamoConnection;

  constructor(connection: DynamoConnection) {
    this.#connection = connection;
  }

  async manifest(): Promise<Manifest | undefined> {
    const item = await this.#get(MANIFEST, { isConsistent: true });
    return item && unpackManifest(item.packed?.B ?? new Uint8Array(), item.id?.S ?? '');
  }

  putManifest(manifest: Manifest, replaced: string | undefined): Promise<boolean> {
    return putIf(this.#connection, {
      Item: { ...MANIFEST, id: { S: manifest.id }, packed: { B: packManifest(manifest) } },
      ExpressionAttributeNames: { '#id': 'id' },
      ...(replaced === undefined
        ? { ConditionExpression: 'attribute_not_exists(#id)' }
        : { ConditionExpression: '#id = :replaced', ExpressionAttributeValues: { ':replaced': { S: replaced } } }),
    });
  }

  /** It never changes, so that a read of half the price has it, unless it was put just now. */
  async segment(id: string, n: number): Promise<Uint8Array | undefined> {
    const key = segmentKey(id, n);
    const item = (await this.#get(key, { isConsistent: false })) ?? (await this.#get(key, { isConsistent: true }));
    return item?.packed?.B;
  }

  async putSegment(id: string, n: number, packed: Uint8Array, expiresAt: number): Promise<void> {
    const { client, table } = this.#connection;
    const expiry = { [UPDATES_TABLE.ttlAttribute]: { N: String(expiresAt) } };
    const command = new PutItemCommand({
      TableName: table,
      Item: { ...segmentKey(id, n), ...expiry, packed: { B: packed } },
    });
    await this.#connection.attempt('put', () => client.send(command));
  }

  /** Takes the lease to build for `holder`, or keeps it, until then; false if another one has it. */
  lease(holder: string, nowMs: number, untilMs: number): Promise<boolean> {
    return putIf(this.#connection, {
      Item: { ...LEASE, holder: { S: holder }, untilMs: { N: String(untilMs) } },
      ConditionExpression: 'attribute_not_exists(#holder) OR #holder = :holder OR #until < :now',
      ExpressionAttributeNames: { '#holder': 'holder', '#until': 'untilMs' },
      ExpressionAttributeValues: { ':holder': { S: holder }, ':now': { N: String(nowMs) } },
    });
  }

  async #get(
    Key: Record<string, AttributeValue>,
    { isConsistent }: { readonly isConsistent: boolean },
  ): Promise<Record<string, AttributeValue> | undefined> {
    const { client, table } = this.#connection;
    const command = new GetItemCommand({ TableName: table, Key, ConsistentRead: isConsistent });
    return (await this.#connection.attempt('get', () => client.send(command))).Item;
  }
}

function segmentKey(id: string, n: number): Record<string, AttributeValue> {
  return keyOf(`mirror:${id}`, atOf(n));
}
