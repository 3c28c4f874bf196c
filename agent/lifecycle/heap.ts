import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import type { Settings } from '../../config/settings.ts';
import { maxHeapBytes } from '../decision/cache-memory.ts';
import { maxMirrorHeapBytes } from '../mirror/mirror-memory.ts';
import { MAX_MEMORY_MB } from '../scripts/ipc.ts';

/** The first version of Node with V8's memory saver mode. */
const SAVES_MEMORY_FROM = 24;

/**
 * Makes V8 collect garbage early and return the memory at once. Cached addresses are outside the heap, so nearly all of the
 * heap is garbage of lookups; by default V8 keeps four times what 200,000 lookups need. Answers from the cache create no
 * garbage and cost the same; a lookup costs up to twice as much.
 *
 * Must be called before the heap grows. Node 22 and 24 read these flags at run time, but not the sizes of the generations
 * (`--max-semi-space-size`, `--max-old-space-size`).
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=15');
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= SAVES_MEMORY_FROM) setFlagsFromString('--memory-saver-mode');
}

const LIMIT = '--max-old-space-size';
const MIB = 1024 * 1024;

type HeapSettings = Pick<Settings, 'cache' | 'memory' | 'updates'>;

/** The heap limit: the setting, and the heap part of cache and mirror with half as much again for garbage collection. */
export function heapLimitMegabytes({ cache, memory, updates }: HeapSettings): number {
  const bytes = maxHeapBytes(cache.maxEntries) + MIRRORS * maxMirrorHeapBytes(entriesOf(updates));
  return memory.heapMegabytes + Math.ceil((bytes * 1.5) / MIB);
}

/** Wanted settings with the sizes that run where the wanted ones have no room in a heap of this limit: first the mirror's, then the cache's. */
export function withinHeap(
  megabytes: number,
  running: HeapSettings,
  { cache, updates }: Pick<Settings, 'cache' | 'updates'>,
): Pick<Settings, 'cache' | 'updates'> {
  const fits = (parts: Partial<HeapSettings>) => heapLimitMegabytes({ ...running, ...parts }) <= megabytes;
  if (fits({ cache, updates })) return { cache, updates };
  const { mode, maxEntries } = running.updates;
  const kept = fits({ updates }) ? updates : { ...updates, mode, maxEntries };
  if (fits({ cache, updates: kept })) return { cache, updates: kept };
  return { cache: { ...cache, maxEntries: running.cache.maxEntries }, updates: kept };
}

/** The entries of a mirror, which the settings may not want. */
function entriesOf({ mode, maxEntries }: Settings['updates']): number {
  return mode === 'mirror' ? maxEntries : 0;
}

/** Memory beside heap and cache: Node's program (60), libraries and connections (32), and a margin. Resident are 80 to 100. */
const PROCESS_MEGABYTES = 160;
/** A cached address, outside the heap: at most 120 bytes, and 80 more while its table grows or is replaced. */
const ADDRESS_BYTES = 200;
/** One mirror is loaded while another one is in use. */
const MIRRORS = 2;
/** An address or network of a mirror, outside the heap. */
const MIRROR_ENTRY_BYTES = 60;

/**
 * The most memory of all processes, for systemd's `MemoryMax`. At least twice the heap limit: with socket activation the
 * heap limit is not set, and V8 limits a heap to half of the cgroup's memory (seen with Node 24.21).
 */
export function maxMegabytes(settings: HeapSettings & Pick<Settings, 'workers' | 'script'>): number {
  const { cache, memory, updates, workers, script } = settings;
  const heap = heapLimitMegabytes(settings);
  const mirrored = MIRRORS * entriesOf(updates) * MIRROR_ENTRY_BYTES;
  const addresses = Math.ceil((cache.maxEntries * ADDRESS_BYTES + mirrored) / MIB);
  const worker = heap + addresses + PROCESS_MEGABYTES + (script === undefined ? 0 : MAX_MEMORY_MB);
  // a single worker is the first process itself
  const first = workers === 1 ? 0 : memory.heapMegabytes + PROCESS_MEGABYTES;
  return Math.max(workers * worker + first, 2 * heap);
}

/**
 * Limits V8's heap as the settings say. The limit is fixed when a process starts, so this one re-executes itself with the
 * same pid; workers inherit the flag. Does nothing if the limit is lower already, if the operator has set another one, or if
 * open descriptors would be lost: sockets passed by systemd, a channel to a parent.
 */
export async function limitHeap(load: () => Promise<HeapSettings>): Promise<void> {
  const { env, execArgv, execPath, argv } = process;
  const isSaid = [...execArgv, env.NODE_OPTIONS ?? ''].some((text) => text.replaceAll('_', '-').includes(LIMIT));
  const wouldLose = env.LISTEN_FDS !== undefined || env.NODE_CHANNEL_FD !== undefined || process.connected;
  // before the file is read: a worker receives its settings, and must start even if the file is invalid now
  if (isSaid || wouldLose) return;
  const limit = heapLimitMegabytes(await load());
  if (getHeapStatistics().heap_size_limit <= limit * MIB) return;
  process.execve?.(execPath, [execPath, `${LIMIT}=${limit}`, ...execArgv, ...argv.slice(1)], env);
}
