import { decodeText } from '../cursor.ts';
import type { NotifyReader } from '../notify.ts';
import type { ReceivedData } from '../typed-data.ts';
import { type ArgumentValue, type Declared, declaredValue, plainValue, typesOf, type ValueType } from './values.ts';

type Arguments = Record<string, ArgumentValue>;

/** The names and values of the message at the reader; a text says what is not as declared. */
export class ArgumentReader {
  readonly #declared: Declared | undefined;
  /** The names of the message before, in their order: HAProxy sends the same each time. */
  readonly #known: { readonly bytes: Uint8Array; readonly name: string }[] = [];

  constructor(declared: Declared | undefined) {
    this.#declared = declared;
  }

  /** Of arguments with the same name the last counts; those without a name are left out. */
  read(reader: NotifyReader): Arguments | string {
    const args: Arguments = Object.create(null); // a name may be __proto__
    const declared = this.#declared;
    let problem: string | undefined;
    for (let index = 0; reader.nextArgument(); index++) {
      const name = this.#nameAt(index, reader);
      if (name === '') continue;
      const type = declared !== undefined && Object.hasOwn(declared, name) ? declared[name] : undefined;
      if (type === undefined) {
        if (declared === undefined) args[name] = plainValue(reader.data());
        continue;
      }
      const data = reader.data();
      const value = declaredValue(type, data);
      if (value === undefined) problem ??= otherType(name, type, data);
      else args[name] = value;
    }
    if (problem !== undefined) return problem;
    for (const name in declared)
      if (!(name in args)) return `argument "${name}" is missing: HAProxy's args line needs ${name}=EXPRESSION`;
    return args;
  }

  #nameAt(index: number, { bytes, nameAt, nameEnd }: NotifyReader): string {
    const known = this.#known[index];
    if (known !== undefined && isSame(known.bytes, bytes, nameAt, nameEnd)) return known.name;
    const own = new Uint8Array(bytes.subarray(nameAt, nameEnd)); // the slice of a Buffer is not a copy
    const name = decodeText(own);
    this.#known[index] = { bytes: own, name };
    return name;
  }
}

function otherType(name: string, declared: ValueType, data: ReceivedData): string {
  const right = typesOf(data).join(' or ');
  return `argument "${name}" comes as ${data.type}, but is declared as ${declared}: declare it as ${right}`;
}

function isSame(expected: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (expected.length !== end - at) return false;
  for (let index = 0; index < expected.length; index++) if (expected[index] !== bytes[at + index]) return false;
  return true;
}
