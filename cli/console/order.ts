import * as z from 'zod/mini';
import { parsedJson } from '../formats/parsed-json.ts';

/** What a command offers to the page: its options, and which of those that the console was started with it takes. */
interface Offer {
  readonly options: readonly string[];
  readonly given: readonly (keyof Given)[];
}

const TABLE = ['table'] as const;
const BOTH = ['table', 'config'] as const;

const WRITE = ['list', 'new-list', 'for', 'until', 'reason', 'note'];

/**
 * The commands of the page, with the options that it may give. None of them names a file, a table or an address, and none
 * writes what is protected: `--force` is for the command line.
 */
const OFFERS = {
  explain: { options: ['json', 'message'], given: BOTH },
  block: { options: WRITE, given: BOTH },
  allow: { options: WRITE, given: BOTH },
  remove: { options: ['list', 'reason'], given: TABLE },
  list: { options: ['json', 'by', 'within', 'reason', 'expiring', 'limit'], given: TABLE },
  'lists print': { options: ['json', 'count'], given: TABLE },
  'lists describe': { options: ['json'], given: TABLE },
  history: { options: ['json', 'list', 'since', 'limit'], given: TABLE },
  denied: { options: ['json'], given: ['agents'] },
  revert: { options: ['json', 'yes', 'dry-run', 'reason'], given: BOTH },
  import: {
    options: [...WRITE, 'json', 'dry-run', 'yes', 'kind', 'contains', 'trust', 'skip-invalid', 'skip-protected'],
    given: BOTH,
  },
} as const satisfies Record<string, Offer>;

/** All that the page may order. */
export const COMMANDS = Object.keys(OFFERS) as (keyof typeof OFFERS)[]; // an object that is fixed above
const MAX_ARGUMENTS = 20;

const Order = z.strictObject({
  command: z.enum(COMMANDS),
  args: z.array(z.string()).check(z.maxLength(MAX_ARGUMENTS)),
  options: z.record(z.string(), z.union([z.string(), z.literal(true)])),
  /** The name of the file that follows as standard input. */
  file: z.optional(z.string()),
});
export type Order = z.infer<typeof Order>;

/** What the console was started with, as arguments of the commands: `--table` and its like, `--config`, `--agents`. */
export interface Given {
  readonly table: readonly string[];
  readonly config: readonly string[];
  readonly agents: readonly string[];
}

/** The order in a line of JSON; undefined if it is none that the page may give. */
export function parseOrder(line: string): Order | undefined {
  const { success, data } = Order.safeParse(parsedJson(line));
  if (!success) return undefined;
  const offered: readonly string[] = OFFERS[data.command].options;
  return Object.keys(data.options).every((name) => offered.includes(name)) ? data : undefined;
}

/** The arguments of the program. Whatever stands in an option or argument stays one. */
export function argumentsOf({ command, args, options }: Order, given: Given): string[] {
  return [
    ...command.split(' '),
    ...OFFERS[command].given.flatMap((name) => given[name]),
    ...Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`)),
    '--',
    ...args,
  ];
}
