import { dirname, resolve } from 'node:path';
import type { Policy } from '../contract/policy.ts';
import { DEFAULT_EVENT } from '../haproxy/events.ts';
import { missingRegions, targetsOf } from './backend-targets.ts';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { crossChecks } from './cross-checks.ts';
import { map } from './fields.ts';
import { type Finding, formatPath, toFindings } from './findings.ts';
import { toListSettings } from './list-settings.ts';
import { type Override, readOverrides, withOverrides } from './overrides.ts';
import { toDenyStatuses } from './rules.ts';
import { ConfigFile } from './schema.ts';
import type { DenyPage, MessageSettings, Settings, Target } from './settings.ts';
import { readYaml, type YamlFile } from './yaml-file.ts';

/** Loads the settings: the file, if there is one, overridden by `HAVERDICT_…` variables. Throws ConfigError. */
export function loadSettings(path: string | undefined, env: NodeJS.ProcessEnv): Settings {
  const { overrides, problems } = readOverrides(env);
  const file = path === undefined ? undefined : readYaml(path);
  const input = withOverrides(file?.value, overrides) ?? {};
  const parsed = ConfigFile.safeParse(input);
  const targets = parsed.success ? targetsOf(parsed.data.backend, env) : [];
  const findings = parsed.success
    ? [...missingRegions(parsed.data.backend, targets), ...crossChecks(parsed.data, input)]
    : toFindings(parsed.error.issues, input);
  problems.push(...findings.map((finding) => toProblem(finding, file, overrides)));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.sort(byPlace));
  return frozen(toSettings(parsed.data, targets, dirname(path ?? '.')));
}

function toSettings(
  { script, blocklist: _blocklist, ...file }: ConfigFile,
  targets: readonly Target[],
  folder: string,
): Settings {
  const { url: _url, urls: _urls, region: _region, ...backend } = file.backend;
  return {
    ...file,
    ...toListSettings(file.lists),
    ...(script === undefined ? {} : { script: resolve(folder, script) }),
    backend: { ...backend, targets },
    haproxy: {
      ...file.haproxy,
      denyStatuses: toDenyStatuses(file),
      denyPages: toDenyPages(file.haproxy.denyPages),
    },
    messages: Object.entries(file.messages).map(([name, of]) => toMessage(name, of, file.policy)),
  };
}

function toDenyPages(pages: ConfigFile['haproxy']['denyPages']): DenyPage[] {
  return Object.entries(pages).map(([status, page]) => ({ status: Number(status), ...page }));
}

function toMessage(
  name: string,
  { subjects, arguments: given, event = DEFAULT_EVENT, policy, ...others }: ConfigFile['messages'][string],
  global: Policy,
): MessageSettings {
  return {
    ...others,
    name,
    ...(others.group === undefined && { event }),
    subjects: Object.entries(subjects).map(([kind, expression]) => ({ kind, expression })),
    arguments: Object.entries(given).map(([argument, expression]) => ({ name: argument, expression })),
    policy: policy ?? global,
  };
}

/**
 * Loads some sections of the file and the environment. Ignores errors in other sections: blocking an address needs no
 * backend. Throws ConfigError.
 */
export function loadSections<const Section extends keyof ConfigFile>(
  sections: readonly Section[],
  path: string | undefined,
  env: NodeJS.ProcessEnv,
): Pick<ConfigFile, Section> {
  const { overrides, problems } = readOverrides(env);
  const file = path === undefined ? undefined : readYaml(path);
  const input = withOverrides(file?.value, overrides) ?? {};
  const schema = map(Object.fromEntries(sections.map((section) => [section, ConfigFile.shape[section]])));
  const parsed = schema.safeParse(partOf(input, sections));
  if (!parsed.success)
    problems.push(...toFindings(parsed.error.issues, input).map((finding) => toProblem(finding, file, overrides)));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return parsed.data as unknown as Pick<ConfigFile, Section>; // the schema is made of these sections, which zod's types lose
}

/** Only these sections of a map; anything else is returned as it is, for the schema to reject. */
function partOf(input: unknown, sections: readonly string[]): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([key]) => sections.includes(key)));
}

/** Adds the location of the setting: the variable, or the line of the file. */
export function toProblem(finding: Finding, file: YamlFile | undefined, overrides: readonly Override[]): ConfigProblem {
  const { path, part, message } = finding;
  const override = overrides.find(({ path: overridden }) => overridden.every((key, depth) => key === path[depth]));
  const where = override?.variable ?? file?.locate(path, part) ?? 'no configuration file';
  return { where, setting: formatPath(path), message };
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  return a.where.localeCompare(b.where, 'en', { numeric: true });
}

function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
