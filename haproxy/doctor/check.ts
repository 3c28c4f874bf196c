import type { Place } from '../parse/sections.ts';
import type { Installation } from './installation.ts';

/** An error disables protection or breaks traffic; a warning does so under load, on failure, or for some requests. */
export type Severity = 'error' | 'warning';

/** One thing that a check met. `values` fill what to write. */
export interface Occurrence {
  readonly place: Place;
  readonly what: string;
  readonly values?: Readonly<Record<string, string | number>>;
}

/** A check, under the id of its finding. */
export interface Check {
  readonly severity: Severity;
  readonly why: string;
  /** What to write, with `<name>` for what depends on the configuration. */
  readonly write: string;
  /** Findings that explain this one: where one of them is, this one is not told. */
  readonly unless?: readonly string[];
  readonly find: (installation: Installation) => Iterable<Occurrence>;
}

export type Checks = Readonly<Record<string, Check>>;
