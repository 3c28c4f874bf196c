import { TABLE } from '../../blocklist/table.ts';
import { wholeNumber } from '../environment.ts';

const TTL = { fallback: 300, most: 86_400, unit: 'seconds' } as const;
const POLL = { fallback: 1000, most: 15_000, unit: 'milliseconds' } as const;

/** The environment variables of the function. */
export interface Environment {
  readonly table: string;
  readonly ttlSeconds: number;
  /** The table of the log of changes; undefined where there is none. */
  readonly updatesTable: string | undefined;
  /** How long agents wait between two requests for updates. */
  readonly updatePollMs: number;
  /** The canaries of updates are those of this region. */
  readonly region: string;
  /** The name of the Lambda function, a dimension of its metrics. */
  readonly functionName: string;
}

export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  return {
    table: env.HAVERDICT_TABLE || TABLE.defaultName,
    ttlSeconds: wholeNumber('HAVERDICT_TTL_SECONDS', env, TTL),
    updatesTable: env.HAVERDICT_UPDATES_TABLE || undefined,
    updatePollMs: wholeNumber('HAVERDICT_UPDATE_POLL_MS', env, POLL),
    region: env.AWS_REGION || 'local',
    functionName: env.AWS_LAMBDA_FUNCTION_NAME || 'local',
  };
}
