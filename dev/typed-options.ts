import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

const USAGE = 2;

/** The options of a script of this checkout; if they are wrong, it ends with one line and 2. */
export function typedOptions<const Options extends ParseArgsOptionsConfig>(program: string, options: Options) {
  const wrong = (message: string): never => {
    console.error(`${program}: ${message}`);
    process.exit(USAGE);
  };
  try {
    const { values } = parseArgs({ options });
    return {
      values,
      /** A typed option as a number from `least` to `most`. */
      number(name: keyof typeof values & string, { least = 0, most = 1e9, whole = true }: NumberBounds = {}): number {
        const text = String(values[name]);
        const number = Number(text);
        const isOne = (whole ? /^\d{1,10}$/ : /^\d{1,10}(\.\d{1,9})?$/).test(text);
        if (isOne && number >= least && number <= most) return number;
        return wrong(`--${name} "${text}" is not a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
      },
    };
  } catch (error) {
    const [first] = (error as Error).message.split('. '); // what follows explains `--`
    return wrong(`${first}: --help lists the options`);
  }
}

interface NumberBounds {
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
}

/** The bounds of a port; 0 is any free one. */
export const PORT = { least: 0, most: 65_535 } as const;
