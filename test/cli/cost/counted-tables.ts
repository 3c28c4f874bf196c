import type { Work } from '../../../cli/cost/updates.ts';
import { type Manifest, packManifest } from '../../../updates/manifest.ts';
import type { Read } from '../../../updates/page.ts';
import type { LogRecord } from '../../../updates/record.ts';
import { RECORDS_A_READ } from '../../../updates/table.ts';
import { MemoryLog } from '../../support/memory-log.ts';
import { MemoryMirrors } from '../../support/memory-mirrors.ts';

export type Counted = Omit<Work, 'functionMs' | 'logBytes'>;
export type Count = (more: Partial<Counted>) => void;

/** A log that counts the units of what it is asked. */
export class CountedLog extends MemoryLog {
  readonly #count: Count;

  constructor(count: Count) {
    super();
    this.#count = count;
  }

  override tail(): Promise<LogRecord | undefined> {
    this.#count({ readUnits: 1 });
    return super.tail();
  }

  async at(number: number): Promise<LogRecord | undefined> {
    this.#count({ readUnits: 1 });
    return this.records[number - 1];
  }

  override async from(number: number, options?: { readonly isConsistent: boolean }): Promise<Read> {
    const records = this.records.slice(Math.max(0, number - 1)).slice(0, RECORDS_A_READ);
    const bytes = records.reduce((sum, record) => sum + recordBytes(record), 1);
    this.#count({ readUnits: readUnits(bytes, options?.isConsistent === true) });
    return { records, isAll: (records.at(-1) ?? this.records.at(-1)) === this.records.at(-1) };
  }

  override async put(record: LogRecord): Promise<boolean> {
    this.#count({ writeUnits: Math.ceil(recordBytes(record) / 1024) });
    if (record.number !== this.records.length + 1) return false;
    this.records.push(record);
    return true;
  }
}

/** Mirrors that count the units of what is read and written. */
export class CountedMirrors extends MemoryMirrors {
  readonly #count: Count;

  constructor(count: Count) {
    super();
    this.#count = count;
  }

  override manifest(): Promise<Manifest | undefined> {
    this.#count({ readUnits: readUnits(this.newest ? packManifest(this.newest).length : 1, true) });
    return super.manifest();
  }

  override putManifest(manifest: Manifest, replaced: string | undefined): Promise<boolean> {
    this.#count({ writeUnits: Math.ceil(packManifest(manifest).length / 1024) });
    return super.putManifest(manifest, replaced);
  }

  override async segment(id: string, n: number): Promise<Uint8Array | undefined> {
    const packed = await super.segment(id, n);
    this.#count({ readUnits: readUnits(packed?.length ?? 1, false) });
    return packed;
  }

  override putSegment(id: string, n: number, packed: Uint8Array): Promise<void> {
    this.#count({ writeUnits: Math.ceil(packed.length / 1024) });
    return super.putSegment(id, n, packed);
  }
}

export function nothingCounted(): Counted {
  return { calls: 0, readUnits: 0, writeUnits: 0, egressBytes: 0 };
}

/** What DynamoDB counts of an item: names and texts, and half a byte for each digit. */
export function itemBytes(item: object): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + name.length + valueBytes(value), 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === 'number') return 1 + Math.ceil(String(value).length / 2);
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'object' && value !== null) return 3 + Object.keys(value).length + itemBytes(value);
  return String(value).length;
}

/** The number of a record is a key of 16 digits. */
function recordBytes({ number: _, ...rest }: LogRecord): number {
  return itemBytes({ part: 'log', at: '0000000000000001', ...rest });
}

function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.ceil(bytes / 4096) * (isConsistent ? 1 : 0.5);
}
