import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { only, templateOf } from '../synthesized.ts';

const TYPE = 'AWS::DynamoDB::GlobalTable';
const TABLE = 'BackendTable';

describe('the table', () => {
  const table = only(templateOf(), TYPE, TABLE);

  it('has the keys, the index and the name that its data stands under', () => {
    const { KeySchema, GlobalSecondaryIndexes, AttributeDefinitions, TableName } = table.Properties;
    assert.deepEqual(KeySchema, [
      { AttributeName: 'subject', KeyType: 'HASH' },
      { AttributeName: 'list', KeyType: 'RANGE' },
    ]);
    assert.deepEqual(GlobalSecondaryIndexes, [
      {
        IndexName: 'by-list',
        KeySchema: [
          { AttributeName: 'list', KeyType: 'HASH' },
          { AttributeName: 'subject', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ]);
    assert.deepEqual(AttributeDefinitions, [
      { AttributeName: 'subject', AttributeType: 'S' },
      { AttributeName: 'list', AttributeType: 'S' },
    ]);
    assert.equal(TableName, 'haverdict');
  });

  it('deletes entries after expiresAt', () => {
    assert.deepEqual(table.Properties.TimeToLiveSpecification, { AttributeName: 'expiresAt', Enabled: true });
  });

  it('is kept when the stack goes, protected from deletion, and can be restored to any point in time', () => {
    assert.equal(table.DeletionPolicy, 'Retain');
    assert.equal(table.UpdateReplacePolicy, 'Retain');
    const [replica] = replicasOf(table);
    assert.equal(replica?.DeletionProtectionEnabled, true);
    assert.deepEqual(replica?.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
  });

  it('goes with the stack only when told so', () => {
    const doomed = only(templateOf({ keepTable: false }), TYPE, TABLE);
    assert.equal(doomed.DeletionPolicy, 'Delete');
    assert.equal(replicasOf(doomed)[0]?.DeletionProtectionEnabled, false);
  });

  it('is paid by request, up to a ceiling of reads, of which the index has its own', () => {
    const capped = only(templateOf({ maxReadUnits: 750 }), TYPE, TABLE);
    assert.equal(capped.Properties.BillingMode, 'PAY_PER_REQUEST');
    const [replica] = replicasOf(capped);
    assert.deepEqual(replica?.ReadOnDemandThroughputSettings, { MaxReadRequestUnits: 750 });
    assert.deepEqual(replica?.GlobalSecondaryIndexes, [
      { IndexName: 'by-list', ReadOnDemandThroughputSettings: { MaxReadRequestUnits: 750 } },
    ]);
  });

  it('has copies in other regions, protected and capped like the first', () => {
    const replicas = replicasOf(only(templateOf({ replicas: ['eu-west-1', 'eu-central-1'] }), TYPE, TABLE));
    assert.deepEqual(replicas.map(({ Region }) => Region).sort(), ['eu-central-1', 'eu-west-1', 'us-east-1']);
    const { Region: _here, ...first } = replicasOf(table)[0] ?? {};
    for (const { Region, ...replica } of replicas) assert.deepEqual(replica, first, `${Region}`);
  });
});

function replicasOf({ Properties }: { Properties: Record<string, unknown> }): Record<string, unknown>[] {
  return Properties.Replicas as Record<string, unknown>[]; // a global table has at least one
}
