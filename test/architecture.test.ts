import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');

/**
 * Who may import whom (ARCHITECTURE.md). A folder may always import itself. `types` is what it may import as types
 * only; `packages` are the npm packages and `node:` modules it may use, where that is limited.
 */
const RULES: readonly { folder: string; may: readonly string[]; types?: readonly string[]; packages?: RegExp }[] = [
  { folder: 'contract', may: [], packages: /^(zod\/mini|ipaddr\.js|node:(buffer|crypto|url))$/ },
  { folder: 'spop', may: [], packages: /^$/ },
  { folder: 'agent/decision', may: ['contract'], packages: /^(lru-cache|p-limit|node:crypto)$/ },
  {
    folder: 'agent/backend',
    may: ['contract', 'agent/decision/decision.ts', 'agent/repeated.ts'],
    types: ['agent/decision'],
    packages:
      /^(node:(dns\/promises|net)|undici|@smithy\/signature-v4|@aws-crypto\/sha256-js|@aws-sdk\/credential-providers)$/,
  },
  {
    folder: 'agent/server',
    may: [
      'spop',
      'agent/state/ledger.ts',
      'agent/repeated.ts',
      'haproxy/vocabulary.ts',
      'contract',
      'agent/decision/policy.ts',
      'agent/decision/address.ts',
    ],
    types: ['agent/decision', 'agent/state'],
    packages: /^node:(net|fs|path|child_process|cluster)$/,
  },
  { folder: 'haproxy/vocabulary.ts', may: [], packages: /^$/ },
  { folder: 'haproxy/parse', may: [], packages: /^$/ },
  { folder: 'haproxy/generate', may: ['haproxy/vocabulary.ts', 'contract'], types: ['config'], packages: /^$/ },
  {
    folder: 'haproxy/doctor',
    may: [
      'haproxy/generate',
      'haproxy/parse',
      'haproxy/vocabulary.ts',
      'config/nearest.ts',
      'config/raw-fetches.ts',
      'contract',
    ],
    types: ['config'],
    packages: /^$/,
  },
  {
    folder: 'config',
    may: ['contract', 'agent/decision/decision.ts', 'agent/decision/policy.ts', 'haproxy/vocabulary.ts'],
  },
  {
    folder: 'haproxy/probe',
    may: ['spop', 'haproxy/vocabulary.ts', 'config/listen-address.ts'],
    types: ['config'],
    packages: /^node:(net|events)$/,
  },
  {
    folder: 'agent/scripts',
    may: [
      'config/config-error.ts',
      'config/nearest.ts',
      'agent/decision',
      'agent/repeated.ts',
      'haproxy/vocabulary.ts',
      'contract',
    ],
    types: ['config'],
    packages: /^node:(child_process|fs|module|os|url|worker_threads)$/,
  },
  {
    folder: 'agent/lifecycle',
    may: ['contract', 'agent/decision'],
    types: ['config'],
    packages: /^node:/,
  },
  {
    folder: 'agent/state',
    may: ['agent/decision'],
    types: ['config', 'contract'],
    packages: /^node:perf_hooks$/,
  },
  {
    folder: 'agent/admin',
    may: [
      'config',
      'agent/decision/decision.ts',
      'agent/decision/degradation.ts',
      'agent/decision/policy.ts',
      'agent/server/socket-file.ts',
      'agent/state',
      'contract',
    ],
    types: ['agent/decision'],
    packages: /^(node:|prom-client$)/,
  },
  { folder: 'blocklist', may: ['contract'], packages: /^(@aws-sdk\/|@smithy\/|p-limit|zod\/mini|node:)/ },
  { folder: 'functions/check', may: ['contract', 'blocklist'] },
  { folder: 'infra', may: ['blocklist/table.ts'], packages: /^(aws-cdk-lib|constructs|zod|node:)/ },
  {
    folder: 'cli',
    may: [
      'contract',
      'blocklist',
      'config',
      'haproxy',
      'agent/backend/credentials.ts',
      'agent/backend/identity-chain.ts',
      'agent/backend/refusal.ts',
      'agent/backend/sign.ts',
      'agent/decision/clock.ts',
      'agent/decision/combine.ts',
      'agent/decision/decision.ts',
      'agent/main.ts',
      'agent/lifecycle/heap.ts',
      'agent/scripts/supervisor.ts',
      'agent/admin/health.ts',
      'agent/admin/interval.ts',
      'agent/admin/tallies.ts',
      'agent/admin/socket/protocol.ts',
      'agent/state',
    ],
  },
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typesOnly: boolean;
}

const files = globSync('{contract,blocklist,config,haproxy,spop,agent,functions,cli,infra}/**/*.ts', {
  cwd: root,
}).sort();
const imports = files.flatMap(importsOf);

describe('the architecture', () => {
  for (const rule of RULES) {
    it(`keeps ${rule.folder} to what it may import`, () => {
      const wrong = imports.filter((found) => isIn(found.from, rule.folder) && !isAllowed(found, rule));
      assert.deepEqual(wrong.map(describeImport), []);
    });
  }

  it('lets nothing import dev, test or bench', () => {
    const wrong = imports.filter(({ to }) => ['dev', 'test', 'bench'].some((folder) => isIn(to, folder)));
    assert.deepEqual(wrong.map(describeImport), []);
  });

  it('lets only the files of the store touch the AWS SDK in the function', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        (isIn(from, 'functions') || isIn(from, 'blocklist')) &&
        /^@(aws-sdk|smithy)\//.test(to) &&
        !isIn(from, 'blocklist/dynamodb'),
    );
    assert.deepEqual(wrong.map(describeImport), []);
  });

  it('has nothing in agent that the daemon never loads', () => {
    const loaded = new Set(['agent/main.ts', 'agent/scripts/child/main.ts', 'agent/scripts/child/memory-guard.ts']);
    for (const file of loaded) for (const { from, to } of imports) if (from === file) loaded.add(to); // grows meanwhile
    const wrong = files.filter((file) => isIn(file, 'agent') && !loaded.has(file));
    assert.deepEqual(wrong, []);
  });

  it('has no circle of files, not even of types', () => {
    const left = new Set(files);
    const isFree = (file: string) => !imports.some(({ from, to }) => from === file && left.has(to));
    for (let before = -1; left.size !== before; ) {
      before = left.size;
      for (const file of [...left].filter(isFree)) left.delete(file);
    }
    assert.deepEqual([...left], [], 'circles, and what imports them');
  });

  it('has no file named for nothing and none above 300 lines', () => {
    const nameless = files.filter((file) => /\/(utils?|helpers?|common|misc|types|index)\.ts$/.test(file));
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301);
    assert.deepEqual({ nameless, long }, { nameless: [], long: [] });
  });

  it('has a rule for every folder and a folder for every rule', () => {
    const ruled = (file: string) => RULES.some(({ folder }) => isIn(file, folder));
    const rootFiles = /^agent\/(main|agent|generation|log|log-output|repeated)\.ts$/;
    assert.deepEqual(
      files.filter((file) => !ruled(file) && !rootFiles.test(file)),
      [],
    );
    assert.deepEqual(
      RULES.filter(({ folder }) => !files.some((file) => isIn(file, folder))),
      [],
    );
  });

  for (const file of files.filter((file) => !/(^cli\/main|\/lambda|^infra\/app)\.ts$/.test(file))) {
    it(`loads ${file} without an effect`, async () => {
      await import(join(root, file));
    });
  }
});

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = source.matchAll(
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|^import\s+'([^']+)'/gms,
  );
  return [...found].map(([, typesOnly, from, dynamic, bare]) => {
    const to = from ?? dynamic ?? bare ?? '';
    return {
      from: file,
      to: to.startsWith('.') ? normalize(join(dirname(file), to)) : to,
      typesOnly: typesOnly !== undefined,
    };
  });
}

function isAllowed({ to, typesOnly }: Import, rule: (typeof RULES)[number]): boolean {
  const isFile = /\.(ts|json)$/.test(to) && !to.startsWith('node:') && !to.startsWith('@');
  if (!isFile) return rule.packages?.test(to) ?? true;
  if (isIn(to, rule.folder) || to === 'package.json') return true;
  if (rule.may.some((allowed) => isIn(to, allowed))) return true;
  return typesOnly && (rule.types ?? []).some((allowed) => isIn(to, allowed));
}

function isIn(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

function describeImport({ from, to }: Import): string {
  return `${from} imports ${to}`;
}
