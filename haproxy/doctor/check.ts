import type { Place } from '../parse/sections.ts';
import type { Installation } from './installation.ts';

/** An error disables protection or breaks traffic; a warning does so under load, on failure, or for some requests. */
export type Severity = 'error' | 'warning';

/** One place where a check found its error. `values` fill the placeholders of `write`. */
export interface Occurrence {
  readonly place: Place;
  readonly what: string;
  readonly values?: Readonly<Record<string, string | number>>;
  /** Where it is another one with the HAProxy of this installation. */
  readonly severity?: Severity;
}

/** A check, under the id of its finding. */
export interface Check {
  readonly severity: Severity;
  readonly why: string;
  /** The right configuration, with placeholders such as `<name>`. */
  readonly write: string;
  /** Findings that explain this one: if one of them is reported, this one is not. */
  readonly unless?: readonly string[];
  readonly find: (installation: Installation) => Iterable<Occurrence>;
}

export type Checks = Readonly<Record<string, Check>>;
