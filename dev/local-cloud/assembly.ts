import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A CloudFormation template as CDK writes it. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: string }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Condition?: string }>>;
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
}

/** The output of `cdk synth` for one stack: its template, account and region, and the folders of its code. */
export interface Assembly {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  readonly template: Template;
  /** The folder that is uploaded under this key, by key. */
  readonly assets: ReadonlyMap<string, string>;
}

/** The defaults for a template without account and region. */
const PLACEHOLDER = { account: '123456789012', region: 'us-east-1' } as const;

/** Reads the stack with this id from the assembly in this folder; without an id it must be the only one. */
export function readAssembly(folder: string, wanted?: string): Assembly {
  const manifest = read<Manifest>(join(folder, 'manifest.json'));
  const stacks = Object.entries(manifest.artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [[id, stack] = [], ...others] = stacks.filter(([id]) => wanted === undefined || id === wanted);
  if (id === undefined || stack === undefined || others.length > 0)
    throw new Error(`${folder} has ${stacks.length} stacks, but exactly one is supported`);
  const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(stack.environment ?? '') ?? [];
  return {
    stackName: stack.properties?.stackName ?? id,
    account: known(account) ?? PLACEHOLDER.account,
    region: known(region) ?? PLACEHOLDER.region,
    template: read<Template>(join(folder, stack.properties?.templateFile ?? `${id}.template.json`)),
    assets: assetsOf(folder, manifest),
  };
}

interface Manifest {
  readonly artifacts: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly environment?: string;
        readonly properties?: { readonly templateFile?: string; readonly stackName?: string; readonly file?: string };
      }
    >
  >;
}

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path?: string; readonly packaging?: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

function assetsOf(folder: string, manifest: Manifest): Map<string, string> {
  const lists = Object.values(manifest.artifacts).filter(({ type }) => type === 'cdk:asset-manifest');
  const files = lists.flatMap(({ properties }) =>
    Object.values(read<AssetManifest>(join(folder, properties?.file ?? '')).files ?? {}),
  );
  const folders = files.filter(({ source }) => source.packaging === 'zip' && source.path !== undefined);
  return new Map(
    folders.flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, join(folder, source.path ?? '')] as const),
    ),
  );
}

function known(part: string | undefined): string | undefined {
  return part === undefined || part.startsWith('unknown-') ? undefined : part;
}

function read<Content>(file: string): Content {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Content; // CDK wrote it; an invalid one fails on use
  } catch (cause) {
    throw new Error(`${file} cannot be read as a part of what cdk synth writes`, { cause });
  }
}
