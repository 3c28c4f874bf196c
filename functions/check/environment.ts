import { TABLE } from '../../blocklist/table.ts';

const DEFAULT_TTL_SECONDS = 300;
const MAX_TTL_SECONDS = 86_400;

/** The environment variables of the function. */
export interface Environment {
  readonly table: string;
  readonly ttlSeconds: number;
  /** The name of the Lambda function, a dimension of its metrics. */
  readonly functionName: string;
}

export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  return {
    table: env.HAVERDICT_TABLE || TABLE.defaultName,
    ttlSeconds: seconds('HAVERDICT_TTL_SECONDS', env.HAVERDICT_TTL_SECONDS),
    functionName: env.AWS_LAMBDA_FUNCTION_NAME || 'local',
  };
}

function seconds(name: string, text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_TTL_SECONDS;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= MAX_TTL_SECONDS) return value;
  throw new Error(`${name} is "${text}", it must be a whole number of seconds from 0 to ${MAX_TTL_SECONDS}`);
}
