import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE, sha256 } from './node.ts';

const ROOT = join(import.meta.dirname, '..');

export interface SbomSettings {
  readonly version: string;
  /** Debian's name of the architecture. */
  readonly architecture: string;
  readonly epochSeconds: number;
  /** The folders of the npm packages in the bundle, as paths in this checkout. */
  readonly packages: readonly string[];
  /** The stripped Node binary in the package. */
  readonly node: Uint8Array;
}

/** The fields of npm's CycloneDX output that are used here. */
interface Sbom {
  readonly metadata: { readonly tools: unknown };
  readonly components: readonly { readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The contents of a package as CycloneDX: npm's SBOM of package-lock.json, reduced to the packages in the bundle, plus Node.
 * `npm sbom --omit dev` also omits packages that dev dependencies share (seen with npm 11.19: zod, yaml).
 */
export function sbomOf({ version, architecture, epochSeconds, packages, node }: SbomSettings): string {
  const { metadata, components, dependencies, ...head } = sbomOfLock();
  const bundled = new Set(packages.map(nameIn));
  const found = components.filter((component) => bundled.has(component['bom-ref']));
  const missing = [...bundled].filter((ref) => found.every((component) => component['bom-ref'] !== ref));
  if (missing.length > 0) throw new Error(`in the bundle, and not in package-lock.json: ${missing.join(', ')}`);
  const self = `haverdict@${version}`;
  const sbom = {
    ...head,
    metadata: {
      timestamp: new Date(epochSeconds * 1000).toISOString(),
      lifecycles: [{ phase: 'build' }],
      tools: metadata.tools,
      component: {
        'bom-ref': self,
        ...{ type: 'application', name: 'haverdict', version },
        licenses: [{ license: { id: 'Apache-2.0' } }],
        purl: `pkg:deb/haverdict@${version}?arch=${architecture}`,
      },
    },
    components: [nodeComponent(node), ...found],
    dependencies: dependencies
      .map(({ ref, dependsOn }) => ({
        ref: ref.startsWith('haverdict@') ? self : ref,
        dependsOn: dependsOn.filter((other) => bundled.has(other)),
      }))
      .map((one) => (one.ref === self ? { ...one, dependsOn: [nodeRef, ...one.dependsOn] } : one))
      .filter(({ ref }) => ref === self || bundled.has(ref)),
  };
  return `${JSON.stringify(sbom, null, 2)}\n`;
}

const nodeRef = `node@${NODE.version}`;

function nodeComponent(node: Uint8Array): object {
  return {
    'bom-ref': nodeRef,
    ...{ type: 'platform', name: 'node', version: NODE.version, scope: 'required' },
    hashes: [{ alg: 'SHA-256', content: sha256(node) }],
    licenses: [{ license: { id: 'MIT' } }],
    cpe: `cpe:2.3:a:nodejs:node.js:${NODE.version}:*:*:*:*:*:*:*`,
    purl: `pkg:generic/node@${NODE.version}`,
  };
}

/** The SBOM of the lock file, made offline and without the random serial number. */
function sbomOfLock(): Sbom {
  const command = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const { serialNumber: _number, ...sbom } = JSON.parse(
    execFileSync('npm', command, { cwd: ROOT, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 }),
  );
  return sbom;
}

function nameIn(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  return `${name}@${version}`;
}
