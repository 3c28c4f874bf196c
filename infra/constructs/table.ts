import { RemovalPolicy } from 'aws-cdk-lib';
import {
  type Attribute,
  AttributeType,
  Billing,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { TABLE } from '../../blocklist/table.ts';
import type { BackendSettings } from '../checked-props.ts';

/** The blocklist. Changing a name or key here would replace the table, so the tests pin them. */
export class BlocklistTable extends TableV2 {
  constructor(scope: Construct, id: string, settings: BackendSettings) {
    const { tableName, removalPolicy = RemovalPolicy.RETAIN, replicas = [], encryptionKey, maxReadUnits } = settings;
    super(scope, id, {
      partitionKey: text(TABLE.partitionKey),
      sortKey: text(TABLE.sortKey),
      timeToLiveAttribute: TABLE.ttlAttribute,
      globalSecondaryIndexes: [
        {
          indexName: TABLE.listIndex.name,
          partitionKey: text(TABLE.listIndex.partitionKey),
          sortKey: text(TABLE.listIndex.sortKey),
          maxReadRequestUnits: maxReadUnits,
        },
      ],
      billing: Billing.onDemand({ maxReadRequestUnits: maxReadUnits }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy,
      replicas: replicas.map((region) => ({ region })),
      // The images are of no use: but replicas need this type, and the type of a stream cannot be changed.
      ...(settings.updates && { dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES }),
      ...(tableName !== undefined && { tableName }),
      ...(encryptionKey !== undefined && { encryption: TableEncryptionV2.customerManagedKey(encryptionKey) }),
    });
  }
}

export function text(name: string): Attribute {
  return { name, type: AttributeType.STRING };
}
