import * as z from 'zod/mini';

/** What a command offers to the page: its options, and whether it reads the agent's configuration. */
interface Offer {
  readonly options: readonly string[];
  readonly readsConfig?: true;
}

const WRITE = ['list', 'new-list', 'for', 'until', 'reason', 'note'];

/**
 * The commands of the page, with the options that it may give. None of them names a file, a table or an address, and none
 * writes what is protected: `--force` is for the command line.
 */
const OFFERS = {
  explain: { options: ['json', 'message'], readsConfig: true },
  block: { options: WRITE, readsConfig: true },
  allow: { options: WRITE, readsConfig: true },
  remove: { options: ['list', 'reason'] },
  list: { options: ['json', 'by', 'within', 'reason', 'expiring', 'limit'] },
  'lists print': { options: ['json', 'count'] },
  'lists describe': { options: ['json'] },
  history: { options: ['json', 'list', 'since', 'limit'] },
  revert: { options: ['json', 'yes', 'dry-run', 'reason'], readsConfig: true },
  import: {
    options: [...WRITE, 'json', 'dry-run', 'yes', 'kind', 'contains', 'trust', 'skip-invalid', 'skip-protected'],
    readsConfig: true,
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

/** What the console was started with, for every command: `--table` and its like, and `--config`. */
export interface Given {
  readonly table: readonly string[];
  readonly config: readonly string[];
}

/** The order in a line of JSON; undefined if it is none that the page may give. */
export function parseOrder(line: string): Order | undefined {
  const { success, data } = Order.safeParse(jsonOf(line));
  if (!success) return undefined;
  const offered: readonly string[] = OFFERS[data.command].options;
  return Object.keys(data.options).every((name) => offered.includes(name)) ? data : undefined;
}

/** The arguments of the program. Whatever stands in an option or argument stays one. */
export function argumentsOf({ command, args, options }: Order, given: Given): string[] {
  const offer: Offer = OFFERS[command];
  return [
    ...command.split(' '),
    ...given.table,
    ...(offer.readsConfig ? given.config : []),
    ...Object.entries(options).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`)),
    '--',
    ...args,
  ];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
