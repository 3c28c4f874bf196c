import { TABLE } from '../../blocklist/table.ts';

const DEFAULT_TTL_SECONDS = 300;
const MAX_TTL_SECONDS = 86_400;
const DEFAULT_POLL_MS = 1000;
const MAX_POLL_MS = 15_000;

/** The environment variables of the function. */
export interface Environment {
  readonly table: string;
  readonly ttlSeconds: number;
  /** The table of the log of changes; undefined where there is none. */
  readonly updatesTable: string | undefined;
  /** How long agents wait between two requests for updates. */
  readonly updatePollMs: number;
  /** The name of the Lambda function, a dimension of its metrics. */
  readonly functionName: string;
}

export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  return {
    table: env.HAVERDICT_TABLE || TABLE.defaultName,
    ttlSeconds: wholeNumber('HAVERDICT_TTL_SECONDS', env, DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS, 'seconds'),
    updatesTable: env.HAVERDICT_UPDATES_TABLE || undefined,
    updatePollMs: wholeNumber('HAVERDICT_UPDATE_POLL_MS', env, DEFAULT_POLL_MS, MAX_POLL_MS, 'milliseconds'),
    functionName: env.AWS_LAMBDA_FUNCTION_NAME || 'local',
  };
}

function wholeNumber(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  fallback: number,
  most: number,
  unit: string,
): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new Error(`${name} is "${text}", it must be a whole number of ${unit} from 0 to ${most}`);
}
