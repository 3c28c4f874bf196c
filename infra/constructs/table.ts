import { RemovalPolicy } from 'aws-cdk-lib';
import { type Attribute, AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { TABLE } from '../../blocklist/table.ts';
import type { BackendSettings } from '../settings.ts';

/** The blocklist. Changing a name or key here would replace the table, so the tests pin them. */
export class BlocklistTable extends TableV2 {
  constructor(scope: Construct, id: string, settings: BackendSettings) {
    super(scope, id, {
      partitionKey: text(TABLE.partitionKey),
      sortKey: text(TABLE.sortKey),
      timeToLiveAttribute: TABLE.ttlAttribute,
      globalSecondaryIndexes: [
        {
          indexName: TABLE.listIndex.name,
          partitionKey: text(TABLE.listIndex.partitionKey),
          sortKey: text(TABLE.listIndex.sortKey),
          maxReadRequestUnits: settings.maxReadUnits,
        },
      ],
      billing: Billing.onDemand({ maxReadRequestUnits: settings.maxReadUnits }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: settings.keepTable,
      removalPolicy: settings.keepTable ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      replicas: settings.replicas.map((region) => ({ region })),
      ...(settings.tableName !== undefined && { tableName: settings.tableName }),
    });
  }
}

function text(name: string): Attribute {
  return { name, type: AttributeType.STRING };
}
