import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { portProblem } from './used-port.ts';

const USAGE = 2;
const FAILED = 1;
const HIGHEST_PORT = 65_535;

/** The options of a script of this checkout; if they are wrong, it ends with one line and 2. */
export function typedOptions<const Options extends ParseArgsOptionsConfig>(program: string, options: Options) {
  const wrong = (message: string, code = USAGE): never => {
    console.error(`${program}: ${message}`);
    process.exit(code);
  };
  try {
    const { values } = parseArgs({ options });
    type Name = keyof typeof values & string;
    /** A typed option as a number from `least` to `most`. */
    const number = (name: Name, { least = 0, most = 1e9, whole = true }: NumberBounds = {}): number => {
      const text = String(values[name]);
      const number = Number(text);
      const isOne = (whole ? /^\d{1,10}$/ : /^\d{1,10}(\.\d{1,9})?$/).test(text);
      if (isOne && number >= least && number <= most) return number;
      return wrong(`--${name} "${text}" is not a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
    };
    /** Typed options as ports of loopback that nothing uses yet; `otherwise` says how to get any free one. */
    const freePorts = async <const Names extends readonly Name[]>(names: Names, least: 0 | 1, otherwise: string) => {
      const ports = names.map((name) => number(name, { least, most: HIGHEST_PORT }));
      for (const [index, port] of ports.entries()) {
        const same = names[ports.indexOf(port)];
        if (port !== 0 && same !== names[index])
          return wrong(`--${same} and --${names[index]} are both ${port}: choose two, ${otherwise}`);
      }
      for (const [index, port] of ports.entries()) {
        const problem = port === 0 ? undefined : await portProblem(port);
        if (problem !== undefined)
          return wrong(`${problem}: choose another with --${names[index]}, ${otherwise}`, FAILED);
      }
      return ports as { [Index in keyof Names]: number };
    };
    return { values, number, freePorts };
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
