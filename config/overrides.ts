import { type KnownSetting, knownSettings } from './catalogue.ts';
import type { ConfigProblem } from './config-error.ts';
import { didYouMean } from './did-you-mean.ts';
import { renamedVariable } from './renamed-settings.ts';

const PREFIX = 'HAVERDICT_';

/** Read by the command line and the function, not by the agent. */
const ELSEWHERE = ['HAVERDICT_CONFIG', 'HAVERDICT_TABLE', 'HAVERDICT_TTL_SECONDS'];

/** Only one of them can be set, so a variable replaces whichever the file has. */
const BACKEND_URLS = [
  ['backend', 'url'],
  ['backend', 'urls'],
];

/** A setting from an environment variable, which takes precedence over the file. */
export interface Override {
  readonly variable: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Reads the overrides from the environment. An empty variable counts as unset; an unknown one is an error. */
export function readOverrides(env: NodeJS.ProcessEnv): { overrides: Override[]; problems: ConfigProblem[] } {
  const overrides: Override[] = [];
  const problems: ConfigProblem[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || ELSEWHERE.includes(variable) || text === undefined || text === '') continue;
    const setting = knownSettings().find((known) => known.variable === variable);
    if (setting === undefined) problems.push(unknownVariable(variable));
    else overrides.push({ variable, path: setting.path, value: toValue(setting.shape, text) });
  }
  return { overrides, problems };
}

/** Applies the overrides to the contents of the file. */
export function withOverrides(file: unknown, overrides: readonly Override[]): unknown {
  const hasUrls = overrides.some(({ path }) => BACKEND_URLS.some((either) => either.join() === path.join()));
  const base = hasUrls ? BACKEND_URLS.reduce((input, path) => withValue(input, path, undefined), file) : file;
  return overrides.reduce((input, { path, value }) => withValue(input, path, value), base);
}

function withValue(input: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (input !== undefined && !isMap(input)) return input; // already reported as an error
  return { ...input, [key]: withValue(input?.[key], rest, value) };
}

function isMap(input: unknown): input is Readonly<Record<string, unknown>> {
  return typeof input === 'object' && input !== null && !Array.isArray(input);
}

function toValue(shape: KnownSetting['shape'], text: string): unknown {
  if (shape === 'number') return toNumber(text);
  if (shape === 'boolean') return text === 'true' || (text === 'false' ? false : text);
  if (shape !== 'list' && shape !== 'numbers') return text;
  const items = text.split(',').map((item) => item.trim());
  return shape === 'list' ? items : items.map(toNumber);
}

function toNumber(text: string): unknown {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function unknownVariable(variable: string): ConfigProblem {
  const renamed = renamedVariable(variable);
  if (renamed !== undefined) return { where: variable, setting: '', message: `renamed to ${renamed}` };
  // without the prefix, which all of them share
  const known = knownSettings().flatMap((setting) => setting.variable?.slice(PREFIX.length) ?? []);
  const meant = didYouMean(variable.slice(PREFIX.length), known);
  const message = meant === undefined ? 'unknown setting' : `unknown setting, did you mean ${PREFIX}${meant}?`;
  return { where: variable, setting: '', message };
}
