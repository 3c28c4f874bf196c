import { LONGEST_ADDRESS } from '../../contract/address.ts';
import { cookieValues } from '../../contract/kinds/cookie.ts';
import { isOddPath } from '../../contract/kinds/path.ts';
import type { Policy, Reason } from '../../contract/policy.ts';
import { redactedSubject } from '../../contract/redact.ts';
import { formatSubject, KINDS_OF_EVERY_REQUEST, subjectFromTraffic } from '../../contract/subject.ts';
import { COOKIE_ARGUMENT } from '../../haproxy/variables.ts';
import type { NotifyReader } from '../../spop/notify.ts';
import { DataType } from '../../spop/typed-data.ts';
import type { Address } from '../decision/address.ts';
import type { Question } from '../decision/engine.ts';
import { bytesOf, textOf } from './arguments.ts';

/** The subjects of a message, as the configuration has them. */
export interface MessageSubjects {
  readonly policy: Policy;
  /** In order of precedence; on the wire each argument has the name of its kind. */
  readonly kinds: readonly string[];
  /** The kinds that a request must have, beside those that every request has. */
  readonly required?: readonly string[];
  /** What is done about a path that servers may read as another; absent for `refuse`. */
  readonly oddPaths?: 'refuse' | 'pass';
  /** The cookies that the agent reads from the whole header, by their kind. */
  readonly cookies?: ReadonlyMap<string, string>;
}

const IP = 'ip';
const PATH = 'path';

/** Reads the question of one message from its arguments. */
export class QuestionReader {
  readonly #subjects: MessageSubjects;
  readonly #reader: NotifyReader;
  readonly #address: Address;
  /** The names of the arguments: the kinds, and behind them the Cookie header. */
  readonly #names: readonly Uint8Array[];
  /** The index of `ip`; behind all names if there is none. */
  readonly #addressAt: number;
  /** The indexes of the kinds that must be there. */
  readonly #requiredAt: readonly number[];
  /** The question about the address alone: it is the usual one, so one object serves all of them. */
  readonly #addressQuestion: { -readonly [Key in keyof Question]: Question[Key] };

  constructor(subjects: MessageSubjects, reader: NotifyReader, address: Address) {
    const { kinds, cookies, policy } = subjects;
    this.#subjects = subjects;
    this.#reader = reader;
    this.#address = address;
    this.#names = [...kinds, ...(cookies === undefined ? [] : [COOKIE_ARGUMENT])].map((name) => Buffer.from(name));
    this.#addressAt = kinds.includes(IP) ? kinds.indexOf(IP) : kinds.length + 1;
    this.#requiredAt = [...kinds.keys()].filter((at) => isRequired(subjects, kinds[at] as string)); // in bounds
    this.#addressQuestion = { policy, address, texts: [], addressAt: 0, oddAt: -1, problem: undefined };
  }

  /** Reads the message at the reader; the question is valid until the next one is read. */
  read(): Question {
    const reader = this.#reader;
    const address = this.#address;
    const names = this.#names;
    const addressAt = this.#addressAt;
    const { kinds, cookies, oddPaths, policy } = this.#subjects;
    address.clear();
    let texts: (SubjectTexts | undefined)[] | undefined;
    let problem: Reason | undefined;
    let isOdd = false;
    for (let index = reader.nextOf(names); index >= 0; index = reader.nextOf(names)) {
      if (reader.type === DataType.null) continue;
      if (index === addressAt) {
        if (!this.#readAddress()) problem = 'bad_subject';
        continue;
      }
      const value = bytesOf(reader.data());
      if (value.length === 0) continue; // as if it were not there
      texts ??= names.map(() => undefined);
      const kind = kinds[index];
      if (kind === undefined) {
        if (!readCookies(this.#subjects, value, texts)) problem = 'bad_subject';
        continue;
      }
      if (kind === PATH) isOdd = isOddPath(value);
      const found = kind === PATH && isOdd && oddPaths !== 'pass' ? undefined : textsOf(kind, [value]);
      if (found === undefined) problem = 'bad_subject';
      // The header has all values of a cookie, its own argument has one.
      else if (!cookies?.has(kind) || texts[kinds.length] === undefined) texts[index] = found;
    }
    for (const at of this.#requiredAt)
      if (at === addressAt ? address.words === 0 : texts?.[at] === undefined) problem = 'bad_subject';
    if (texts === undefined) {
      this.#addressQuestion.problem = problem;
      return this.#addressQuestion;
    }
    const before = textsIn(texts.slice(0, addressAt));
    const after = textsIn(texts.slice(addressAt + 1));
    const all = [...before, ...after];
    const oddAt = isOdd ? all.findIndex((text) => text.startsWith(`${PATH}:`)) : -1;
    return { policy, address, texts: all, addressAt: before.length, oddAt, problem };
  }

  /** Reads the `ip` argument; false if its value is not an address. */
  #readAddress(): boolean {
    const { type, bytes, valueAt, valueEnd } = this.#reader;
    if (type !== DataType.ipv4 && type !== DataType.ipv6)
      return valueEnd - valueAt <= LONGEST_ADDRESS && this.#address.readText(textOf(this.#reader.data()));
    this.#address.readBytes(bytes, valueAt, valueEnd);
    return true;
  }
}

/** A request without address, host, path or method is odd, not free of them. */
function isRequired({ required }: MessageSubjects, kind: string): boolean {
  return KINDS_OF_EVERY_REQUEST.has(kind) || required?.includes(kind) === true;
}

/** The subjects of one argument: several for cookies, none for a value that cannot be listed. */
type SubjectTexts = readonly string[];

const NO_SUBJECTS: SubjectTexts = [];

/** Sets the subjects of the cookies in this header; false if a value is invalid. */
function readCookies(
  { kinds, cookies }: { readonly kinds: readonly string[]; readonly cookies?: ReadonlyMap<string, string> },
  header: Uint8Array,
  texts: (SubjectTexts | undefined)[],
): boolean {
  texts[kinds.length] = NO_SUBJECTS;
  let isValid = true;
  for (const [index, kind] of kinds.entries()) {
    const name = cookies?.get(kind);
    if (name === undefined) continue;
    const values = cookieValues(header, name);
    const found = values && textsOf(kind, values);
    if (found === undefined) isValid = false;
    texts[index] = values?.length === 0 ? undefined : found;
  }
  return isValid;
}

/** Undefined if a value is not valid for this kind. */
function textsOf(kind: string, values: readonly Uint8Array[]): SubjectTexts | undefined {
  const subjects = values.map((value) => subjectFromTraffic(kind, value));
  if (subjects.includes(undefined)) return undefined;
  return [...new Set(subjects.flatMap((subject) => (subject ? [formatSubject(subject)] : [])))];
}

function textsIn(texts: readonly (SubjectTexts | undefined)[]): string[] {
  return texts.flatMap((some) => some ?? []);
}

/** A text that distinguishes clients: the address, or without one all other subjects, redacted. */
export function clientOf({ address, texts }: Pick<Question, 'address' | 'texts'>): string {
  return address.words === 0 ? texts.map(redactedSubject).join(' ') : `${address}`;
}
