import { TABLE } from '../../blocklist/table.ts';
import type { DeploymentSettings } from './settings.ts';

/** A replica of the table. */
export interface Replica {
  readonly region: string;
  /** Whether DynamoDB refuses to delete it. */
  readonly isProtected: boolean;
}

/** The table of that name in the region. */
export interface ExistingTable {
  readonly partitionKey: string;
  readonly sortKey: string | undefined;
  /** Whether it tells of changes, as `updates` needs. */
  readonly hasStream: boolean;
  readonly replicas: readonly Replica[];
}

/** What AWS says before a deployment. What the credentials may not ask is undefined. */
export interface Facts {
  /** The stack of that name in the region; null if there is none. */
  readonly stack: { readonly tableName: string | undefined } | null | undefined;
  /** Other regions with a stack of that name, if the region has none. */
  readonly otherRegions: readonly string[];
  /** Null if there is none. */
  readonly table: ExistingTable | null | undefined;
  /** The stack that the table belongs to, if the stack of that name is not there. */
  readonly owner: string | undefined;
  readonly hasFunctionUrls: boolean | undefined;
  readonly concurrency: Concurrency | undefined;
}

export interface Concurrency {
  /** How many functions the account may run at a time in the region. */
  readonly limit: number;
  /** How many of them no function has reserved. */
  readonly unreserved: number;
  /** How many of them the functions of this stack have reserved. */
  readonly own: number;
}

/** Why a deployment would fail half-way, or do what nobody wants. */
export interface Problem {
  readonly setting: keyof DeploymentSettings;
  readonly message: string;
}

/** Lambda keeps so many copies unreserved; a new account has no more than that. */
const ALWAYS_UNRESERVED = 100;

/** Everything that is wrong with a deployment of these settings. */
export function problemsOf(settings: DeploymentSettings, facts: Facts): Problem[] {
  return [
    ...urlProblems(settings, facts),
    ...concurrencyProblems(settings, facts),
    ...stackProblems(settings, facts),
    ...tableProblems(settings, facts),
  ];
}

/** Will the stack import a table that is there, instead of creating one? */
export function importsTable(facts: Facts): boolean {
  return facts.stack === null && facts.table !== null && facts.table !== undefined;
}

function urlProblems({ region }: DeploymentSettings, { hasFunctionUrls }: Facts): Problem[] {
  if (hasFunctionUrls !== false) return [];
  return [{ setting: 'region', message: `${region} has no function URLs: choose another region` }];
}

function concurrencyProblems({ region, reservedConcurrency }: DeploymentSettings, { concurrency }: Facts): Problem[] {
  if (concurrency === undefined || reservedConcurrency === 'none') return [];
  const { limit, unreserved, own } = concurrency;
  const kept = Math.min(ALWAYS_UNRESERVED, limit);
  const most = unreserved + own - kept;
  if (reservedConcurrency <= most) return [];
  const others = limit - unreserved - own;
  const why = `of ${limit} copies in this account in ${region}, other functions reserve ${others} and Lambda keeps ${kept} unreserved`;
  const right = most > 0 ? `none or at most ${most}` : 'none';
  const more = `or ask AWS for a higher quota "Concurrent executions" of Lambda in ${region}`;
  return [{ setting: 'reservedConcurrency', message: `must be ${right}, not ${reservedConcurrency}, ${more}: ${why}` }];
}

function stackProblems({ region, stackName, tableName, alsoIn }: DeploymentSettings, facts: Facts): Problem[] {
  const { stack, otherRegions } = facts;
  const deployed = stack?.tableName;
  if (deployed !== undefined && deployed !== tableName) {
    const message = `must be ${deployed}, which the stack ${stackName} in ${region} has, not ${tableName}: that would be a new, empty table. Another table needs another stackName`;
    return [{ setting: 'tableName', message }];
  }
  const unnamed = stack === null ? otherRegions.filter((other) => !alsoIn.includes(other)) : [];
  if (unnamed.length === 0) return [];
  const there = unnamed.join(', ');
  const message = `must be ${there}, where the stack ${stackName} is, not ${region}: that would be a new, empty table. For one more stack, set alsoIn: [${there}]`;
  return [{ setting: 'region', message }];
}

function tableProblems(settings: DeploymentSettings, facts: Facts): Problem[] {
  const { region, tableName, keepTable, replicas } = settings;
  const { table, owner } = facts;
  if (table === undefined || table === null) return [];
  const { partitionKey, sortKey } = table;
  if (partitionKey !== TABLE.partitionKey || sortKey !== TABLE.sortKey) {
    const keys = sortKey === undefined ? partitionKey : `${partitionKey} and ${sortKey}`;
    return [
      {
        setting: 'tableName',
        message: `the table ${tableName} in ${region} is no blocklist, its key is ${keys}: choose another name`,
      },
    ];
  }
  if (owner !== undefined && owner !== settings.stackName) {
    const message = `must be ${owner}, which has the table ${tableName}, not ${settings.stackName}. Another stack needs another tableName`;
    return [{ setting: 'stackName', message }];
  }
  if (importsTable(facts) && !keepTable)
    return [
      {
        setting: 'keepTable',
        message: `must be true for this deployment: the table ${tableName} is there already, and CloudFormation imports only a table that it is to keep`,
      },
    ];
  return importsTable(facts) ? importProblems(settings, table) : replicaProblems(replicas, table, tableName);
}

/** An import takes the table as it is. */
function importProblems(
  { replicas: wanted, updates }: DeploymentSettings,
  { replicas, hasStream }: ExistingTable,
): Problem[] {
  const problems: Problem[] = [];
  const there = replicas.map(({ region }) => region).sort();
  const refuse = (setting: 'replicas' | 'updates', right: string, why: string) => {
    const message = `must be ${right} for this deployment: ${why}, and is imported as it is. Change it in the next`;
    problems.push({ setting, message });
  };
  if (there.join() !== wanted.toSorted().join()) refuse('replicas', `[${there.join(', ')}]`, 'so the table is');
  if (updates && !hasStream) refuse('updates', 'false', 'the table has no stream');
  return problems;
}

/** CloudFormation adds or removes one replica in an update, and DynamoDB deletes none that is protected. */
function replicaProblems(wanted: readonly string[], { replicas }: ExistingTable, tableName: string): Problem[] {
  const added = wanted.filter((region) => replicas.every((replica) => replica.region !== region));
  const removed = replicas.filter(({ region }) => !wanted.includes(region));
  if (added.length + removed.length > 1) {
    const changes = [...added.map((region) => `+ ${region}`), ...removed.map(({ region }) => `- ${region}`)];
    return [{ setting: 'replicas', message: `may change by one region in a deployment, not by ${changes.join(', ')}` }];
  }
  return removed
    .filter(({ isProtected }) => isProtected)
    .map(({ region }) => ({
      setting: 'replicas',
      message: `the replica in ${region} is protected from deletion: run aws dynamodb update-table --region ${region} --table-name ${tableName} --no-deletion-protection-enabled, then deploy again`,
    }));
}
