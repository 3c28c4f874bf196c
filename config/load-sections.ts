import { ConfigError } from './config-error.ts';
import { map } from './fields.ts';
import { toFindings } from './findings.ts';
import { toProblem } from './load.ts';
import { readOverrides, withOverrides } from './overrides.ts';
import { ConfigFile } from './schema.ts';
import { readYaml } from './yaml-file.ts';

/**
 * Some sections of the file and the environment, as `loadSettings` reads them. Errors in other sections do not matter: to
 * block an address, no backend is needed. Throws ConfigError.
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

/** Anything but a map stays as it is, for the schema to refuse. */
function partOf(input: unknown, sections: readonly string[]): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([key]) => sections.includes(key)));
}
