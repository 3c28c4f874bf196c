import { type LoadHookSync, type ResolveHookSync, registerHooks } from 'node:module';

interface Resolved {
  readonly url: string;
  readonly format: string | null | undefined;
}

interface Loaded {
  readonly format: string | null | undefined;
  readonly source: string | Uint8Array;
}

/** A module and all it imports, as they were read: a restart runs what was loaded, whatever the files have become. */
export interface Sources {
  /** By importing module and specifier. */
  readonly resolved: ReadonlyMap<string, Resolved>;
  /** By URL. */
  readonly loaded: ReadonlyMap<string, Loaded>;
}

/** Beyond this they are not kept, and a restart reads the files again. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Sees what the modules of this thread are read from, or has them read from what another thread saw. */
export class SourceKeeper {
  /** The URL that was read last: a syntax error is in there. */
  lastRead: string | undefined;
  readonly #resolved: Map<string, Resolved>;
  readonly #loaded: Map<string, Loaded>;
  #bytes = 0;

  constructor(known?: Sources) {
    this.#resolved = new Map(known?.resolved);
    this.#loaded = new Map(known?.loaded);
  }

  /** What there is to keep; what is imported after `load` is done is read from its file. */
  async watch<T>(load: () => Promise<T>): Promise<T> {
    const hooks = registerHooks({ resolve: this.#resolve, load: this.#load });
    try {
      return await load();
    } finally {
      hooks.deregister();
    }
  }

  get sources(): Sources {
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
    // CommonJS may be read elsewhere, and has no source here then.
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
