import type { CreateTableInput } from '@aws-sdk/client-dynamodb';
import type { NamedResource } from './named-resources.ts';

/** The properties that are used; capacity, backups and replicas have no effect locally, and a stream is not the database's. */
const TAKEN = ['AttributeDefinitions', 'KeySchema', 'LocalSecondaryIndexes'] as const;
const TAKEN_OF_INDEX = ['IndexName', 'KeySchema', 'Projection'] as const;
/** The unsupported properties that would change the answers of a table or the access to it. */
const REFUSED = ['ResourcePolicy', 'ImportSourceSpecification', 'KinesisStreamSpecification'];

/** The definition of an `AWS::DynamoDB::GlobalTable` or `Table` for the DynamoDB API. */
export function tableDefinition({ id, ref, properties }: NamedResource): CreateTableInput {
  const replicas = replicasOf(properties);
  const refused = [properties, ...replicas]
    .flatMap(Object.keys)
    .find((name) => REFUSED.includes(name) && !(name === 'StreamSpecification' && replicas.length > 1)); // replication needs one
  if (refused !== undefined) throw new Error(`${refused} of table ${id} is not imitated`);
  const { GlobalSecondaryIndexes: indexes } = properties as { GlobalSecondaryIndexes?: Record<string, unknown>[] }; // as CloudFormation has it
  return {
    TableName: ref,
    BillingMode: 'PAY_PER_REQUEST',
    ...pick(properties, TAKEN),
    ...(indexes !== undefined && { GlobalSecondaryIndexes: indexes.map((index) => pick(index, TAKEN_OF_INDEX)) }),
  } as unknown as CreateTableInput; // these have the same names in CloudFormation and the API
}

function replicasOf({ Replicas = [] }: Readonly<Record<string, unknown>>): object[] {
  return Replicas as object[]; // as CloudFormation has it
}

function pick(source: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in source).map((name) => [name, source[name]]));
}
