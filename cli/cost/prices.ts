import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { firstProblem } from '../../blocklist/schema-problem.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import listPrices from './prices.json' with { type: 'json' };

const price = z.number().check(z.minimum(0));

const Prices = z.object({
  date: z.string(),
  region: z.string(),
  source: z.string(),
  lambdaMillionRequests: price,
  lambdaGbSecond: price,
  dynamodbMillionReadUnits: price,
  dynamodbMillionWriteUnits: price,
  logsGb: price,
  metricMonth: price,
  alarmMetricMonth: price,
  dashboardMonth: price,
  egressGb: price,
});

/** AWS prices in US dollars, with their region and date. */
export type Prices = z.infer<typeof Prices>;

/** The prices in this file, or the built-in ones. */
export function readPrices(file: string | undefined): Prices {
  if (file === undefined) return listPrices;
  const json = jsonIn(file);
  const parsed = Prices.safeParse(json);
  if (!parsed.success) throw new CliError(EXIT.failed, `--prices ${file}: ${firstProblem(parsed.error, json)}`);
  return parsed.data;
}

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CliError(EXIT.failed, `--prices ${file}: ${(error as Error).message}`, { cause: error }); // both throw errors
  }
}
