import { type LoadHookSync, type ResolveHookSync, registerHooks } from 'node:module';

interface Resolved {
  readonly url: string;
  readonly format: string | null | undefined;
}

interface Loaded {
  readonly format: string | null | undefined;
  readonly source: string | Uint8Array;
}

/** A script and all its imports, as they were read: a restart runs what was loaded, even if the files have changed. */
export interface ModuleSources {
  /** By the importing module's URL and the specifier. */
  readonly resolved: ReadonlyMap<string, Resolved>;
  /** By URL. */
  readonly loaded: ReadonlyMap<string, Loaded>;
}

/** Larger sources are not kept: a restart reads the files again. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Records the sources of the modules that are loaded, or loads them from an earlier recording. */
export class SourceRecorder {
  /** The URL that was read last, which is the one with the syntax error if there is one. */
  lastRead: string | undefined;
  readonly #resolved: Map<string, Resolved>;
  readonly #loaded: Map<string, Loaded>;
  #bytes = 0;

  constructor(known?: ModuleSources) {
    this.#resolved = new Map(known?.resolved);
    this.#loaded = new Map(known?.loaded);
  }

  /** Records what `load` imports; later imports are read from their files. */
  async record<T>(load: () => Promise<T>): Promise<T> {
    const hooks = registerHooks({ resolve: this.#resolve, load: this.#load });
    try {
      return await load();
    } finally {
      hooks.deregister();
    }
  }

  get sources(): ModuleSources {
    const fits = this.#bytes <= MAX_BYTES;
    return { resolved: fits ? this.#resolved : new Map(), loaded: fits ? this.#loaded : new Map() };
  }

  readonly #resolve: ResolveHookSync = (specifier, context, next) => {
    const key = `${context.parentURL} ${specifier}`;
    const known = this.#resolved.get(key);
    if (known !== undefined) return { ...known, shortCircuit: true };
    const result = next(specifier, context);
    if (isFile(result.url)) this.#resolved.set(key, { url: result.url, format: result.format });
    return result;
  };

  readonly #load: LoadHookSync = (url, context, next) => {
    if (isFile(url)) this.lastRead = url;
    const known = this.#loaded.get(url);
    if (known !== undefined) return { ...known, shortCircuit: true };
    const result = next(url, context);
    const { source, format } = result;
    // Node may read CommonJS elsewhere: there is no source here then
    if (isFile(url) && (typeof source === 'string' || source instanceof Uint8Array)) {
      this.#bytes += source.length;
      this.#loaded.set(url, { format, source });
    }
    return result;
  };
}

function isFile(url: string): boolean {
  return url.startsWith('file:');
}
