import { resolve } from 'node:path';
import { SETTINGS, SETTINGS_FILE } from './settings.ts';

const ACTIONS = ['deploy', 'diff', 'destroy', 'synth'] as const;
type Action = (typeof ACTIONS)[number];

/** What is to be done with which settings, and how the CDK is called for it. */
export interface Command {
  readonly action: Action;
  readonly settingsFile: string;
  readonly profile: string | undefined;
  readonly cdkArguments: readonly string[];
}

/** A command line that cannot be used. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Reads `ACTION [--settings FILE] [OPTIONS OF CDK]`. The table outlives its stack, so the next one imports it: without that,
 * CloudFormation says that it already exists.
 */
export function parseCommand([action, ...args]: readonly string[]): Command {
  if (!isAction(action))
    throw new UsageError(`usage: npm run ${ACTIONS.join('|')} -- [--settings FILE] [OPTIONS OF CDK]`);
  const { value: settingsFile = SETTINGS_FILE, others } = take('--settings', args);
  const setting = contextOf(others).find(isSetting);
  if (setting !== undefined)
    throw new UsageError(`${setting}: settings are in ${settingsFile}, not on the command line`);
  const imports = action === 'deploy' || action === 'diff' ? ['--import-existing-resources'] : [];
  return {
    action,
    settingsFile: resolve(settingsFile),
    profile: take('--profile', others).value,
    cdkArguments: [action, ...imports, ...others],
  };
}

/** The value of an option, as `--name VALUE` or `--name=VALUE`, and the arguments without it. */
function take(name: string, args: readonly string[]): { value: string | undefined; others: string[] } {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return { value: undefined, others: [...args] };
  const [joined, next] = args.slice(at, at + 2);
  const isJoined = joined !== name;
  const value = isJoined ? joined?.slice(name.length + 1) : next;
  if (value === undefined || value === '') throw new UsageError(`${name} needs a value`);
  return { value, others: args.toSpliced(at, isJoined ? 1 : 2) };
}

/** What is given as `-c NAME=VALUE`, in all forms that the CDK takes. */
function contextOf(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    if (['-c', '--context'].includes(args[index - 1] ?? '')) return arg;
    return /^(?:-c|--context)=?(.+)$/.exec(arg)?.[1] ?? [];
  });
}

function isAction(word: string | undefined): word is Action {
  return ACTIONS.some((action) => action === word);
}

function isSetting(argument: string): boolean {
  return Object.hasOwn(SETTINGS, argument.split('=')[0] ?? '');
}
