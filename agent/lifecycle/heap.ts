import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import type { Settings } from '../../config/settings.ts';
import { maxHeapBytes } from '../decision/cache-memory.ts';

/** From which Node on V8 can be told that memory matters more than the processor's time. */
const SAVES_MEMORY_FROM = 24;

/**
 * Makes V8 collect early, and give back at once what it has collected: what is in the cache of addresses is beside the
 * heap, so nearly all of the heap is what lookups leave behind. By itself V8 keeps four times of what 200,000 lookups
 * need. What is answered from the cache leaves nothing behind, and costs the same; a lookup costs up to twice as much.
 *
 * Has to come first, before the heap grows. These flags are read whenever they matter, on Node 22 and 24 alike; the sizes
 * of the generations (`--max-semi-space-size`, `--max-old-space-size`) are not.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=15');
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= SAVES_MEMORY_FROM) setFlagsFromString('--memory-saver-mode');
}

const LIMIT = '--max-old-space-size';
const MIB = 1024 * 1024;

/** The bound of the heap by the settings: what they say, and the cache with the half that V8 needs to collect it. */
export function heapLimitMegabytes({ cache, memory }: Pick<Settings, 'cache' | 'memory'>): number {
  return memory.heapMegabytes + Math.ceil((maxHeapBytes(cache.maxEntries) * 1.5) / MIB);
}

/** Beside heap and cache: Node's program (60), and what its libraries and connections hold (32). Resident are 80 to 100. */
const PROCESS_MEGABYTES = 160;
/** Addresses stand beside the heap: 120 bytes of each at most, and 80 more while a table grows or is exchanged. */
const ADDRESS_BYTES = 200;
/** What a script process may use before it is killed. */
const SCRIPT_MEGABYTES = 256;

/**
 * What all processes can come to by these settings: right for systemd's `MemoryMax`. V8 bounds a heap by half of that (seen
 * with Node 24.21 in a cgroup), so it is twice the heap at least: under a systemd socket no other bound is in force.
 */
export function maxMegabytes(settings: Pick<Settings, 'cache' | 'memory' | 'workers' | 'script'>): number {
  const { cache, memory, workers, script } = settings;
  const heap = heapLimitMegabytes(settings);
  const addresses = Math.ceil((cache.maxEntries * ADDRESS_BYTES) / MIB);
  const worker = heap + addresses + PROCESS_MEGABYTES + (script === undefined ? 0 : SCRIPT_MEGABYTES);
  // with one worker the first process is that
  const first = workers === 1 ? 0 : memory.heapMegabytes + PROCESS_MEGABYTES;
  return Math.max(workers * worker + first, 2 * heap);
}

/**
 * Has V8 end the process before its heap takes more than the settings say. That is decided when a process starts, so this
 * one begins anew with the same id; workers take it over. It stays as it is where the limit is lower anyway, where somebody
 * has said another one, and where open descriptors would be lost: sockets that systemd passed, a channel to a parent.
 */
export async function limitHeap(load: () => Promise<Pick<Settings, 'cache' | 'memory'>>): Promise<void> {
  const { env, execArgv, execPath, argv } = process;
  const isSaid = [...execArgv, env.NODE_OPTIONS ?? ''].some((text) => text.replaceAll('_', '-').includes(LIMIT));
  const wouldLose = env.LISTEN_FDS !== undefined || env.NODE_CHANNEL_FD !== undefined || process.connected;
  // before the file is read: a worker is told its settings, and must start whatever the file has become
  if (isSaid || wouldLose) return;
  const limit = heapLimitMegabytes(await load());
  if (getHeapStatistics().heap_size_limit <= limit * MIB) return;
  process.execve?.(execPath, [execPath, `${LIMIT}=${limit}`, ...execArgv, ...argv.slice(1)], env);
}
