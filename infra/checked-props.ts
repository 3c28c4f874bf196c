import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { z } from 'zod';
import type { BudgetProps, HaverdictBackendProps } from './backend-props.ts';
import { E_MAIL, flag, list, REGION, TABLE_NAME, text, wholeNumber, wholeNumberOr } from './fields.ts';
import {
  MAX_POLL_MS,
  MIN_POLL_MS,
  MOST_READ_UNITS,
  pollsTooOften,
  readUnits,
  tooManyAgents,
  tooManyProvisioned,
  updatePollMs,
} from './limits.ts';
import { checked, SettingsError } from './settings-error.ts';

const MAX_TTL_SECONDS = 86_400;

/** What belongs to a new table only. */
const OF_A_NEW_TABLE = ['tableName', 'removalPolicy', 'replicas', 'maxReadUnits'] as const;
const OF_A_VPC = ['vpcSubnets', 'securityGroups'] as const;

const Budget = z.strictObject({ usd: wholeNumber(1, 1_000_000), email: text(...E_MAIL) });

/** The rules for props beyond their types, which programs in JavaScript need not keep. */
const FORM = {
  table: having('tableArn', 'a table, such as TableV2.fromTableName(this, "Table", "NAME")'),
  tableName: text(...TABLE_NAME),
  removalPolicy: z.enum(RemovalPolicy, 'a RemovalPolicy'),
  replicas: list(...REGION),
  encryptionKey: having('keyArn', 'a key, such as Key.fromKeyArn(this, "Key", "ARN")'),
  maxReadUnits: wholeNumber(1, MOST_READ_UNITS),
  ttl: z.custom<Duration>(isTtl, `a Duration of whole seconds, of ${MAX_TTL_SECONDS} at most`),
  reservedConcurrency: wholeNumberOr(1, 10_000, 'none'),
  provisionedConcurrency: wholeNumber(1, 10_000),
  memorySize: wholeNumber(128, 10_240),
  vpc: having('vpcId', 'a network, such as Vpc.fromLookup(this, "Vpc", { isDefault: true })'),
  vpcSubnets: z.looseObject({}, 'a selection of subnets'),
  securityGroups: listOf('securityGroupId', 'a list of security groups'),
  agents: wholeNumber(1, 10_000),
  updates: flag(),
  updatePoll: z.custom<Duration>(
    isUpdatePoll,
    `a Duration from ${MIN_POLL_MS} milliseconds to ${MAX_POLL_MS / 1000} seconds`,
  ),
  logRetention: z.custom<RetentionDays>(isRetention, 'one of RetentionDays'),
  principals: listOf('grantPrincipal', 'a list of principals, such as [new AccountPrincipal("123456789012")]'),
  alarms: flag(),
  alarmTopic: having('topicArn', 'a topic, such as Topic.fromTopicArn(this, "Topic", "ARN")'),
  dashboard: flag(),
  budget: z.custom<BudgetProps>(isBudget, 'a budget, such as { usd: 50, email: "ops@example.org" }'),
  unqualifiedUrl: flag(),
} satisfies Record<keyof HaverdictBackendProps, z.ZodType>;

const Form = z.strictObject(FORM).partial();
const CheckedForm = Form.superRefine(fitTogether);

/** The props with those defaults that more than one part needs. */
export type BackendSettings = HaverdictBackendProps &
  Required<
    Pick<HaverdictBackendProps, 'reservedConcurrency' | 'agents' | 'maxReadUnits' | 'ttl' | 'updates' | 'updatePoll'>
  >;

/** Returns the props of this construct with their defaults; throws `SettingsError` if they are not valid. */
export function checkedProps(props: HaverdictBackendProps, scope: Construct): BackendSettings {
  checked(CheckedForm, props, scope.node.path);
  checkPlace(props, scope);
  const { reservedConcurrency = 10, agents = 1, ttl = Duration.minutes(5) } = props;
  const updatePoll = props.updatePoll ?? Duration.millis(updatePollMs(reservedConcurrency, agents));
  const maxReadUnits = props.maxReadUnits ?? readUnits(reservedConcurrency);
  return { ...props, reservedConcurrency, agents, ttl, maxReadUnits, updates: hasUpdates(props), updatePoll };
}

function fitTogether(props: z.output<typeof Form>, check: z.RefinementCtx): void {
  const {
    replicas = [],
    reservedConcurrency = 10,
    agents = 1,
    provisionedConcurrency = 0,
    unqualifiedUrl = true,
  } = props;
  const has = (name: keyof HaverdictBackendProps) => props[name] !== undefined;
  const refuse = (name: keyof HaverdictBackendProps, message: string | undefined) => {
    if (message !== undefined) check.addIssue({ code: 'custom', path: [name], message });
  };
  if (has('table'))
    for (const name of OF_A_NEW_TABLE.filter(has)) refuse(name, 'left out with `table`, which is as it is');
  if (has('encryptionKey') && replicas.length > 0)
    refuse('encryptionKey', 'left out with `replicas`: it is of one region');
  if (!has('vpc')) for (const name of OF_A_VPC.filter(has)) refuse(name, 'left out without `vpc`');
  if (has('alarmTopic') && props.alarms === false) refuse('alarmTopic', 'left out without `alarms`');
  refuse('agents', tooManyAgents(reservedConcurrency, agents));
  refuse('provisionedConcurrency', tooManyProvisioned(reservedConcurrency, provisionedConcurrency, unqualifiedUrl));
  const { table, updates, updatePoll } = props as HaverdictBackendProps; // the form has checked them
  if (updates === true && table !== undefined && table.tableStreamArn === undefined)
    refuse('updates', 'false, or `table` one with a stream, from which the log of changes is written');
  if (updatePoll !== undefined && !hasUpdates(props as HaverdictBackendProps))
    refuse('updatePoll', 'left out without `updates`');
  else if (updatePoll !== undefined && !updatePoll.isUnresolved())
    refuse('updatePoll', pollsTooOften(reservedConcurrency, agents, updatePoll.toMilliseconds()));
}

function hasUpdates({ table, updates }: HaverdictBackendProps): boolean {
  return updates ?? table === undefined;
}

/** The function names its table by the name alone, which is one of its own account and region. */
function checkPlace({ table }: HaverdictBackendProps, scope: Construct): void {
  if (table === undefined) return;
  const stack = Stack.of(scope);
  for (const part of ['account', 'region'] as const) {
    const [there, here] = [table.env[part], stack[part]];
    if ([there, here].some(Token.isUnresolved) || there === here) continue;
    const instead = part === 'region' ? ', such as its replica there' : '';
    throw new SettingsError(`${scope.node.path}: table must be one of ${part} ${here}${instead}, not of ${there}`);
  }
}

function having(property: string, mustBe: string) {
  return z.custom((value) => typeof value === 'object' && value !== null && property in value, mustBe);
}

function listOf(property: string, mustBe: string) {
  return z.array(having(property, mustBe), mustBe);
}

function isRetention(value: unknown): boolean {
  return Token.isUnresolved(value) || (typeof value === 'number' && value in RetentionDays);
}

function isBudget(value: unknown): boolean {
  return Budget.safeParse(value).success;
}

function isUpdatePoll(value: unknown): boolean {
  if (!(typeof value === 'object' && value !== null && 'toMilliseconds' in value)) return false;
  const poll = value as Duration; // nothing else has such a method
  return poll.isUnresolved() || (poll.toMilliseconds() >= MIN_POLL_MS && poll.toMilliseconds() <= MAX_POLL_MS);
}

function isTtl(value: unknown): boolean {
  if (!(typeof value === 'object' && value !== null && 'toSeconds' in value)) return false;
  const ttl = value as Duration; // nothing else has such a method
  if (ttl.isUnresolved()) return true;
  const seconds = ttl.toSeconds({ integral: false });
  return Number.isInteger(seconds) && seconds <= MAX_TTL_SECONDS;
}
