import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { knownSettings } from '../../config/catalogue.ts';
import { ConfigError } from '../../config/config-error.ts';
import { configSchema } from '../../config/json-schema.ts';
import { listName, type WrittenList } from '../../config/list-settings.ts';
import { loadSections, loadSettings } from '../../config/load.ts';
import { printSettings } from '../../config/print.ts';
import { ConfigFile } from '../../config/schema.ts';
import type { Settings } from '../../config/settings.ts';
import { REASONS } from '../../contract/policy.ts';
import { configFile } from '../support/config-file.ts';
import { leavesOf } from '../support/schema-walk.ts';
import { longRuns } from '../support/scope.ts';
import { settingsOf } from '../support/settings-arbitrary.ts';

const PAGE = readFileSync(new URL('../../docs/reference/config.md', import.meta.url), 'utf8');

/** All code that could use a setting, without the schemas and without comments. */
const ROOT = new URL('../../', import.meta.url).pathname;
const CODE = globSync('{config,haproxy,agent,cli}/**/*.ts', { cwd: ROOT })
  .filter((file) => !/^config\/(.+-)?schema\.ts$/.test(file))
  .map((file) => readFileSync(`${ROOT}${file}`, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/ .*/g, ''))
  .join('\n');

/** The name under which a leaf of the schema is documented. */
function named(path: readonly string[]): string {
  const reasons = ['default', ...REASONS];
  const keys = path.map((key, depth) => (path[depth - 1] === 'policy' && reasons.includes(key) ? 'REASON' : key));
  // an item of a list, or a value under a name of the operator's, that is one word is a part of that setting
  const isWord = ['[]', 'NAME'].includes(keys.at(-1) ?? '');
  return (isWord ? keys.slice(0, -1) : keys).join('.').replaceAll('.[]', '[]');
}

describe('every value that the schema of the configuration knows', () => {
  const names = [...new Set(leavesOf(ConfigFile).map(({ path }) => named(path)))];
  const settings = new Map(knownSettings().map((setting) => [setting.path.join('.'), setting]));
  const schema = JSON.parse(configSchema());

  it('is found by the walk', () => assert.ok(names.length > 50 && names.includes('admin.listen')));

  for (const name of names) {
    it(`${name} is in the catalogue, the reference and the JSON Schema`, () => {
      const setting = settings.get(name);
      assert.ok(setting !== undefined, 'not in the catalogue');
      assert.match(PAGE, new RegExp(`^\\| \`${name.replaceAll(/[.[\]]/g, '\\$&')}\` \\|`, 'm'));
      assert.ok(
        isIn(
          schema,
          setting.path.flatMap((key) => (key.endsWith('[]') ? [key.slice(0, -2), '[]'] : [key])),
        ),
        'not in the JSON Schema',
      );
      assert.notEqual(setting.meaning, '');
      assert.notEqual(setting.mustBe, '');
    });

    it(`${name} is used by something`, () => {
      const key = name.replace(/^.*\./, '');
      if (key !== 'REASON') assert.match(CODE, new RegExp(`\\b${key}\\b`));
    });

    it(`${name} has a variable, or a reason why not`, () => {
      const { variable, noVariable } = settings.get(name) ?? {};
      assert.ok((variable === undefined) !== (noVariable === undefined));
    });
  }

  it('is all that the catalogue has, beside maps with names of the operator', () => {
    const maps = knownSettings()
      .filter(({ shape }) => shape === 'map')
      .map(({ path }) => path.join('.'));
    const wholes = [...maps, 'listen', 'policy', 'messages.NAME.policy', 'admin.listen'];
    assert.deepEqual(
      [...settings.keys()].filter((name) => !names.includes(name) && !wholes.includes(name)),
      [],
    );
  });
});

/** Settings that go together: what is right one by one may still contradict. */
const valid = settingsOf(ConfigFile).map((input) => agreeing(input as Record<string, unknown>)); // a map

/** One URL or several, shadow mode only for configured lists, and messages at places of their own. */
function agreeing(input: Record<string, unknown>): Record<string, unknown> {
  const backend = { ...(input.backend as object) } as Record<string, unknown>;
  if (backend.urls !== undefined) delete backend.url;
  else backend.url ??= 'https://function.example/';
  const isSigned = backend.auth === 'iam';
  const reachable = (url: string) => (isSigned ? url.replace(/^http:/, 'https:') : url);
  if (backend.url !== undefined) backend.url = reachable(backend.url as string);
  if (backend.urls !== undefined) backend.urls = (backend.urls as string[]).map(reachable);
  if (isSigned) backend.region ??= 'eu-central-1';
  const lists = ((input.lists ?? ['manual']) as WrittenList[]).map(listName);
  const shadowLists = (input.shadowLists as unknown[] | undefined)?.map((_, index) => lists[index]).filter(Boolean);
  const messages = Object.entries((input.messages ?? {}) as Record<string, Record<string, unknown>>).map(
    ([name, { event, group: _, paths, hosts, condition, frontends, ...message }], index) => {
      // a condition stands in one line with paths, hosts and frontends; only requests have paths and hosts
      const isOfRequests = paths !== undefined || hosts !== undefined;
      const sent = {
        ...message,
        ...(isOfRequests && { paths, hosts }),
        ...(frontends !== undefined && { frontends: (frontends as string[]).slice(0, 8) }),
        ...(condition !== undefined && { condition: isOfRequests ? 'TRUE' : condition }),
      };
      if (index === 0 && event !== undefined)
        return [name, { ...sent, event: isOfRequests ? 'on-frontend-http-request' : event }];
      return [name, { condition: 'TRUE', ...sent, group: `g${index}` }];
    },
  );
  // recentSeconds is for messages about an address alone
  const { recentSeconds } = (input.haproxy ?? {}) as { recentSeconds?: number };
  const ofAddresses = { group: 'addresses', condition: 'TRUE', subjects: { ip: 'src' } };
  if (recentSeconds) messages.push(['about-addresses', ofAddresses]);
  return {
    ...input,
    backend,
    ...(shadowLists && { shadowLists }),
    ...(messages.length > 0 && { messages: Object.fromEntries(messages) }),
  };
}

function taken(file: string, env: NodeJS.ProcessEnv): { settings: Settings; blocklist: unknown } | undefined {
  try {
    return { settings: loadSettings(file, env), blocklist: loadSections(['blocklist'], file, env).blocklist };
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

describe('agent --print-config', () => {
  it('prints what is taken again and comes to the same, whatever the settings', (t) => {
    const file = configFile(t, '');
    fc.assert(
      fc.property(valid, fc.constantFrom(undefined, 'us-east-1'), (input, AWS_REGION) => {
        writeFileSync(file, stringify(input));
        const before = taken(file, { AWS_REGION });
        fc.pre(before !== undefined);
        const printed = printSettings(file, { AWS_REGION });
        writeFileSync(file, printed);
        assert.deepEqual(taken(file, {}), before);
      }),
      { numRuns: longRuns(1000), maxSkipsPerRun: 4 },
    );
  });
});

describe('a variable of the environment', () => {
  for (const { path, variable, shape } of knownSettings().filter((setting) => setting.variable !== undefined))
    it(`${variable} says the same as ${path.join('.')} in the file`, (t) => {
      const file = configFile(t, '');
      const schema = schemaAt(path);
      fc.assert(
        fc.property(settingsOf(schema, path), (value) => {
          const text = asVariable(value);
          fc.pre(text !== undefined && text !== '');
          const requiredLists = variable === 'HAVERDICT_SHADOW_LISTS' && { lists: value };
          const base = { backend: { url: 'https://function.example', region: 'eu-central-1' }, ...requiredLists };
          writeFileSync(file, stringify(set(base, path, value)));
          const inFile = taken(file, {});
          fc.pre(inFile !== undefined);
          writeFileSync(file, stringify(base));
          assert.deepEqual(taken(file, { [variable as string]: text }), inFile, shape);
        }),
        { numRuns: 20 },
      );
    });
});

/** A text as it stands in a variable; undefined for what no variable can say. */
function asVariable(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const items = value.map(asVariable);
    return items.every((item) => item !== undefined && !item.includes(',') && item.trim() === item)
      ? items.join(',')
      : undefined;
  }
  if (typeof value === 'number') return /^-?\d+(\.\d+)?$/.test(String(value)) ? String(value) : undefined;
  return typeof value === 'object' ? undefined : String(value);
}

function set(input: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown) {
  const base = { ...input };
  if (key === 'backend' && rest[0] === 'urls') base.backend = { region: 'eu-central-1' };
  const inner = (base[key] ?? {}) as Record<string, unknown>; // of a map
  base[key] = rest.length === 0 ? value : set(inner, rest, value);
  return base;
}

function schemaAt(path: readonly string[]) {
  return path.reduce<import('zod').core.$ZodType>((schema, key) => {
    let def = schema._zod.def as { shape?: Record<string, import('zod').core.$ZodType>; innerType?: never };
    while (def.shape === undefined && def.innerType !== undefined)
      def = (def.innerType as import('zod').core.$ZodType)._zod.def as typeof def;
    return def.shape?.[key] ?? assert.fail(`no ${key}`);
  }, ConfigFile);
}

// biome-ignore lint/suspicious/noExplicitAny: a schema as it stands in the file
function isIn(schema: any, [key, ...rest]: readonly string[]): boolean {
  if (schema === undefined) return false;
  if (key === undefined) return true;
  const forms = [schema, ...(schema.anyOf ?? [])];
  return forms.some((form) => {
    if (key === 'NAME') return typeof form.additionalProperties === 'object' && isIn(form.additionalProperties, rest);
    if (key === '[]') return isIn(form.items, rest);
    return isIn(form.properties?.[key === 'REASON' ? 'default' : key], rest);
  });
}
