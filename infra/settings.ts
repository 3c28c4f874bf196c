import { z } from 'zod';
import { TABLE } from '../blocklist/table.ts';
import { E_MAIL, MAX_POLL_MS, MIN_POLL_MS, TABLE_NAME } from './checked-props.ts';
import { flag, list, oneOf, pairs, REGION, text, wholeNumber, wholeNumberOr } from './fields.ts';
import { MOST_READ_UNITS, pollsTooOften, tooManyAgents } from './limits.ts';
import { checked } from './settings-error.ts';

const PRINCIPAL = /^arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[^*\s]+)$/;
const TOPIC = /^arn:aws[a-z-]*:sns:(?<region>[a-z0-9-]+):\d{12}:[\w-]+(\.fifo)?$/;
/** The retention periods of CloudWatch Logs. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653];

const app = {
  tableName: TABLE_NAME.default(TABLE.defaultName).describe('The name of the table.'),
  keepTable: flag().default(true).describe('Protects the table from deletion, and keeps it when the stack goes.'),
  replicas: list(REGION, 'regions such as eu-west-1, with commas between them')
    .default([])
    .describe('Other regions that hold a copy of the table.'),
  maxReadUnits: wholeNumber(1, MOST_READ_UNITS)
    .optional()
    .describe(
      'Read units a second that the table serves at most, and its index likewise. Without it 200 for each copy of the function; 2000 if there is no `reservedConcurrency`.',
    ),
  ttlSeconds: wholeNumber(0, 86_400).default(300).describe('How long agents may keep a verdict at most.'),
  reservedConcurrency: wholeNumberOr(1, 10_000, 'none')
    .default(10)
    .describe('How many copies of the function run at most. Each serves 10 requests a second.'),
  provisionedConcurrency: wholeNumber(1, 10_000)
    .optional()
    .describe('How many copies are kept started, at most `reservedConcurrency`. They are paid for by the hour.'),
  agents: wholeNumber(1, 10_000)
    .default(1)
    .describe('How many agents share the function: what each may ask is in the output `AgentConfig`.'),
  updates: flag()
    .default(true)
    .describe('Lets agents learn of changes within seconds: a stream, a second table, and two functions more.'),
  updatePollMs: wholeNumber(MIN_POLL_MS, MAX_POLL_MS)
    .optional()
    .describe(
      'How many milliseconds agents wait between two requests for updates. Without it 1000; more if these would take more than half of the calls.',
    ),
  logRetentionDays: oneOf(RETENTION_DAYS).default(30).describe('How many days the logs of the function are kept.'),
  agentPrincipal: text(
    PRINCIPAL,
    'the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:role/NAME',
  )
    .optional()
    .describe('Who may assume a role that calls the function. Without it there is only the policy.'),
  alarmTopicArn: text(TOPIC, 'the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:NAME')
    .optional()
    .describe('Where alarms go. Without it they are only seen in CloudWatch.'),
  budgetUsd: wholeNumber(1, 1_000_000).optional().describe('A budget in US dollars a month. Goes with `budgetEmail`.'),
  budgetEmail: E_MAIL.optional().describe('The e-mail address that is notified when the budget runs out.'),
  unqualifiedUrl: flag()
    .default(true)
    .describe('Keeps the URL of version 0.1 until every agent has the new one. It goes with version 0.3.'),
  region: text(REGION, 'a region such as eu-west-1').default('us-east-1').describe('Where everything is.'),
  account: text(/^\d{12}$/, 'an account number of 12 digits')
    .optional()
    .describe('The account. Without it, that of the credentials at deployment.'),
  stackName: text(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, '1 to 128 letters, digits and -, a letter first')
    .default('Haverdict')
    .describe('The name of the stack.'),
  tags: pairs().default({}).describe('Tags for all resources that support them.'),
};

const AppForm = z.strictObject(app);
export type AppSettings = z.output<typeof AppForm>;
const CheckedApp = AppForm.superRefine(bothOrNeither)
  .superRefine(leavesEachAgentACall)
  .superRefine(leavesHalfToChecks)
  .superRefine(fitsItsRegion);

/** Every setting of the app: a schema with default and description. */
export const SETTINGS: Readonly<Record<keyof AppSettings, z.ZodType>> = app;

/** Parses the context of an app. Keys that are not plain words belong to the CDK. */
export function readAppSettings(context: Readonly<Record<string, unknown>>): AppSettings {
  const words = Object.entries(context).filter(([name]) => /^\w+$/.test(name));
  return checked(CheckedApp, Object.fromEntries(words), 'context');
}

function leavesEachAgentACall({ agents, reservedConcurrency }: AppSettings, check: z.RefinementCtx): void {
  const message = tooManyAgents(reservedConcurrency, agents);
  if (message !== undefined) check.addIssue({ code: 'custom', path: ['agents'], message });
}

function leavesHalfToChecks(settings: AppSettings, check: z.RefinementCtx): void {
  const { updates, updatePollMs, agents, reservedConcurrency } = settings;
  if (!updates || updatePollMs === undefined) return;
  const message = pollsTooOften(reservedConcurrency, agents, updatePollMs);
  if (message !== undefined) check.addIssue({ code: 'custom', path: ['updatePollMs'], message });
}

function bothOrNeither({ budgetUsd, budgetEmail }: AppSettings, check: z.RefinementCtx): void {
  if ((budgetUsd === undefined) === (budgetEmail === undefined)) return;
  const missing = budgetUsd === undefined ? 'budgetUsd' : 'budgetEmail';
  check.addIssue({ code: 'custom', path: [missing], message: 'set: budgetUsd and budgetEmail go together' });
}

function fitsItsRegion({ region, replicas, alarmTopicArn }: AppSettings, check: z.RefinementCtx): void {
  if (new Set([region, ...replicas]).size <= replicas.length)
    check.addIssue({ code: 'custom', path: ['replicas'], message: `regions other than ${region}, each once` });
  const topicRegion = alarmTopicArn === undefined ? region : TOPIC.exec(alarmTopicArn)?.groups?.region;
  if (topicRegion !== undefined && topicRegion !== region)
    check.addIssue({ code: 'custom', path: ['alarmTopicArn'], message: `a topic in ${region}` });
}
