import { existsSync } from 'node:fs';
import { z } from 'zod';
import { TABLE } from '../../blocklist/table.ts';
import { isRegion } from '../../config/aws-region.ts';
import { ConfigError } from '../../config/config-error.ts';
import { boolean, map, mapOf, text, uniqueListOf, wholeNumber } from '../../config/fields.ts';
import { type Finding, type Hints, toFindings } from '../../config/findings.ts';
import { toProblem } from '../../config/load.ts';
import { readYaml } from '../../config/yaml-file.ts';
import { E_MAIL, TABLE_NAME } from '../fields.ts';
import {
  MAX_POLL_MS,
  MIN_POLL_MS,
  MOST_READ_UNITS,
  pollsTooOften,
  tooManyAgents,
  tooManyProvisioned,
} from '../limits.ts';

/** The file of the settings, which is not in git, and its example, which is. */
export const SETTINGS_FILE = 'deploy.yaml';
export const EXAMPLE_FILE = 'deploy.example.yaml';

const PRINCIPAL = /^arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[^*\s]+)$/;
const PRINCIPAL_FORM = 'the ARN of a role, a user or an account, such as arn:aws:iam::123456789012:role/NAME';
const TOPIC = /^arn:aws[a-z-]*:sns:(?<region>[a-z0-9-]+):\d{12}:[\w-]+(\.fifo)?$/;
/** The retention periods of CloudWatch Logs. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653];
/** The most replicas that anybody needs; it bounds the file. */
const MAX_REGIONS = 30;
const MAX_TAGS = 50;
/** The policy of a function has 20 KB: about 25 roles with four statements each. */
const MAX_ROLES = 20;

const region = text('a region such as eu-west-1', isRegion);

const SHAPE = {
  region: region.describe('Where everything is.'),
  alsoIn: uniqueListOf(region, MAX_REGIONS, 'regions', 0)
    .default([])
    .describe(
      'Other regions that may have a stack of the same name. A stack in any region that is not named stops a first deployment.',
    ),
  account: matching(/^\d{12}$/, 'an account number of 12 digits, in quotes')
    .optional()
    .describe('The account. Without it, that of the credentials at deployment.'),
  stackName: matching(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, '1 to 128 letters, digits and -, a letter first')
    .default('Haverdict')
    .describe('The name of the stack.'),
  tableName: matching(...TABLE_NAME)
    .default(TABLE.defaultName)
    .describe('The name of the table.'),
  keepTable: boolean().default(true).describe('Protects the table from deletion, and keeps it when the stack goes.'),
  replicas: uniqueListOf(region, MAX_REGIONS, 'regions', 0)
    .default([])
    .describe('Other regions that hold a copy of the table.'),
  agents: wholeNumber(1, 10_000)
    .default(1)
    .describe('How many agents share the function: what each may ask is in the output `AgentConfig`.'),
  reservedConcurrency: wholeNumberOrNone(1, 10_000)
    .default(10)
    .describe('How many copies of the function run at most. Each serves 10 requests a second.'),
  provisionedConcurrency: wholeNumber(1, 10_000)
    .optional()
    .describe(
      'How many copies are kept started, at most `reservedConcurrency`, and below it with `unqualifiedUrl`. They are paid for by the hour.',
    ),
  maxReadUnits: wholeNumber(1, MOST_READ_UNITS)
    .optional()
    .describe(
      'Read units a second for lookups, and for the index as many again: a target that DynamoDB may exceed for a while. Without it 200 for each copy of the function; 2000 if there is no `reservedConcurrency`.',
    ),
  ttlSeconds: wholeNumber(0, 86_400).default(300).describe('How long agents may keep a verdict at most.'),
  updates: boolean()
    .default(true)
    .describe('Lets agents learn of changes within seconds: a stream, a second table, and two functions more.'),
  updatePollMs: wholeNumber(MIN_POLL_MS, MAX_POLL_MS)
    .optional()
    .describe(
      'How many milliseconds agents wait between two requests for updates. Without it 1000; more if these would take more than half of the calls.',
    ),
  logRetentionDays: oneOfNumbers(RETENTION_DAYS)
    .default(30)
    .describe('How many days the logs of the function are kept.'),
  agentPrincipal: matching(PRINCIPAL, PRINCIPAL_FORM)
    .optional()
    .describe('Who may assume a role that calls the function. Without it there is only the policy.'),
  agentRoles: uniqueListOf(matching(PRINCIPAL, PRINCIPAL_FORM), MAX_ROLES, 'ARNs of roles, users or accounts', 0)
    .default([])
    .describe(
      'Who may call the function by its resource policy, such as roles of other accounts. Each also needs the permissions in its own account.',
    ),
  alarmTopicArn: matching(TOPIC, 'the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:NAME')
    .optional()
    .describe('Where alarms go. Without it they are only seen in CloudWatch.'),
  budgetUsd: wholeNumber(1, 1_000_000).optional().describe('A budget in US dollars a month. Goes with `budgetEmail`.'),
  budgetEmail: matching(...E_MAIL)
    .optional()
    .describe('The e-mail address that is notified when the budget runs out.'),
  unqualifiedUrl: boolean()
    .default(true)
    .describe('Keeps the URL of version 0.1 until every agent has the new one. It goes with version 0.3.'),
  tags: mapOf(
    matching(/^.{1,128}$/, 'a name of 1 to 128 characters'),
    matching(/^.{0,256}$/, 'a text of at most 256 characters, in quotes if it is a number'),
    MAX_TAGS,
    'tags',
  )
    .default({})
    .describe('Tags for all resources that support them.'),
};

const File = map(SHAPE);

/** Every setting: a schema with its default and description. */
export const SETTINGS: Readonly<Record<keyof DeploymentSettings, z.ZodType>> = SHAPE;
export type DeploymentSettings = z.output<typeof File>;

/** The settings of a deployment, and the line of each in its file. */
export interface Deployment {
  readonly settings: DeploymentSettings;
  locate(setting: keyof DeploymentSettings): string;
}

/** All settings are at the top, and none was renamed yet. */
const HINTS: Hints = { renamed: () => undefined, paths: [] };

/** Reads the settings of a deployment. Throws ConfigError with all that is wrong in them. */
export function readDeployment(path: string): Deployment {
  if (!existsSync(path)) {
    const message = `no such file: copy ${EXAMPLE_FILE} and set your region`;
    throw new ConfigError([{ where: path, setting: '', message }]);
  }
  const file = readYaml(path);
  const settings = parseSettings(file.value ?? {});
  if (Array.isArray(settings)) throw new ConfigError(settings.map((finding) => toProblem(finding, file, [])));
  return { settings, locate: (setting) => file.locate([setting], 'value') };
}

/** The settings with their defaults, or all that is wrong in them. */
export function parseSettings(input: unknown): DeploymentSettings | Finding[] {
  const parsed = File.safeParse(input);
  if (!parsed.success) return toFindings(parsed.error.issues, input, HINTS);
  const findings = doNotFit(parsed.data);
  return findings.length > 0 ? findings : parsed.data;
}

/** Refuses settings in the context of the CDK. Keys that are not plain words belong to the CDK. */
export function refuseContext(context: Readonly<Record<string, unknown>>): void {
  const words = Object.keys(context).filter((name) => /^\w+$/.test(name));
  const message = `belongs into ${SETTINGS_FILE}, not into cdk.json or -c`;
  if (words.length > 0) throw new ConfigError(words.map((setting) => ({ where: 'context', setting, message })));
}

/** Settings that are right alone and wrong together. */
function doNotFit(settings: DeploymentSettings): Finding[] {
  const { alsoIn, replicas, agents, reservedConcurrency, alarmTopicArn, budgetUsd, budgetEmail } = settings;
  const { provisionedConcurrency: started = 0 } = settings;
  const findings: Finding[] = [];
  const refuse = (setting: keyof DeploymentSettings, message: string) =>
    findings.push({ path: [setting], part: 'value', message });
  const most = tooManyAgents(reservedConcurrency, agents);
  if (most !== undefined) refuse('agents', `must be ${most}, got ${agents}`);
  const provisionable = tooManyProvisioned(reservedConcurrency, started, settings.unqualifiedUrl);
  if (provisionable !== undefined) refuse('provisionedConcurrency', `must be ${provisionable}, got ${started}`);
  const pollMs = settings.updates ? settings.updatePollMs : undefined;
  const longer = pollMs === undefined ? undefined : pollsTooOften(reservedConcurrency, agents, pollMs);
  if (longer !== undefined) refuse('updatePollMs', `must be ${longer}, got ${pollMs}`);
  for (const [name, regions] of Object.entries({ replicas, alsoIn } as const))
    if (regions.includes(settings.region))
      refuse(name as 'replicas' | 'alsoIn', `must be regions other than region, which is ${settings.region}`);
  const topicRegion = alarmTopicArn === undefined ? settings.region : TOPIC.exec(alarmTopicArn)?.groups?.region;
  if (topicRegion !== settings.region)
    refuse('alarmTopicArn', `must be a topic in ${settings.region}, got one in ${topicRegion}`);
  if (budgetUsd !== undefined && budgetEmail === undefined) refuse('budgetUsd', 'needs budgetEmail: set both or none');
  if (budgetUsd === undefined && budgetEmail !== undefined) refuse('budgetEmail', 'needs budgetUsd: set both or none');
  return findings;
}

function matching(form: RegExp, mustBe: string) {
  return text(mustBe, (value) => form.test(value));
}

function wholeNumberOrNone(from: number, to: number) {
  const mustBe = `a whole number from ${from} to ${to}, or none`;
  return z.union([z.literal('none'), z.int(mustBe).min(from, mustBe).max(to, mustBe)], mustBe).meta({ mustBe });
}

function oneOfNumbers(choices: readonly number[]) {
  const mustBe = `one of ${choices.join(', ')}`;
  return z.literal(choices, mustBe).meta({ mustBe });
}
