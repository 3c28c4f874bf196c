import { every, not, some, type Tristate } from './tristate.ts';

/** The lines of a file that HAProxy reads: all but those that `.if` excludes. */
export interface ConditionalText {
  readonly file: string;
  readonly lines: readonly ConditionalLine[];
}

interface ConditionalLine {
  readonly text: string;
  readonly number: number;
  /** Whether it stands under a condition that is not known here. */
  readonly isUnsure?: true;
}

/** `taken`: an earlier branch was true, so the others are not read. */
interface Block {
  reads: boolean;
  taken: boolean;
  isUnsure: boolean;
}

/**
 * Excludes what `.if` and `.elif` exclude for this HAProxy version (configuration.txt 2.4). Under an unknown condition, such
 * as one on the environment, both branches are read.
 */
export function readLines(file: string, text: string, version: string): ConditionalText {
  const lines: ConditionalLine[] = [];
  const blocks: Block[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [, directive, condition = ''] =
      /^\s*\.(if|elif|else|endif|diag|notice|warning|alert)\b\s*(.*)$/.exec(line) ?? [];
    if (directive !== undefined) step(blocks, directive, condition, version);
    else if (blocks.every(({ reads }) => reads)) {
      const isUnsure = blocks.some((block) => block.isUnsure);
      lines.push({ text: line.replace(/\r$/, ''), number: index + 1, ...(isUnsure && { isUnsure }) });
    }
  }
  return { file, lines };
}

function step(blocks: Block[], directive: string, condition: string, version: string): void {
  const block = blocks.at(-1);
  if (directive === 'if') blocks.push(branch(isTrue(condition, version)));
  else if (directive === 'endif') blocks.pop();
  else if (block !== undefined && /^el/.test(directive)) {
    const next = branch(directive === 'else' ? true : isTrue(condition, version));
    block.reads = !block.taken && next.reads;
    block.taken ||= next.taken;
    block.isUnsure ||= next.isUnsure;
  }
}

function branch(condition: Tristate): Block {
  return { reads: condition !== false, taken: condition === true, isUnsure: condition === undefined };
}

/** Words of a condition: operators, brackets, and predicates with what is in theirs (configuration.txt 2.4). */
const TOKENS = /\|\||&&|[!()]|\w+\((?:"[^"]*"|'[^']*'|[^()"'])*\)|[^\s!()&|]+/g;

/** Undefined where it depends on what is not known here. */
function isTrue(text: string, version: string): Tristate {
  const tokens = text.replace(/\s#.*$/, '').match(TOKENS) ?? [];
  let at = 0;
  const any = (): Tristate => {
    const truths = [all()];
    for (; tokens[at] === '||'; ) truths.push(next(all));
    return some(truths);
  };
  const all = (): Tristate => {
    const truths = [one()];
    for (; tokens[at] === '&&'; ) truths.push(next(one));
    return every(truths);
  };
  const next = (read: () => Tristate): Tristate => {
    at++;
    return read();
  };
  const one = (): Tristate => {
    if (tokens[at] === '!') return not(next(one));
    if (tokens[at] !== '(') return predicateHolds(tokens[at++] ?? '0', version);
    const inner = next(any);
    at++;
    return inner;
  };
  return any();
}

function predicateHolds(predicate: string, version: string): Tristate {
  if (/^(true|[1-9]\d*)$/.test(predicate)) return true;
  if (/^(false|0)$/.test(predicate)) return false;
  const [, name, asked = ''] = /^version_(atleast|before)\(\s*["']?([\d.]+).*\)$/.exec(predicate) ?? [];
  if (name === undefined) return undefined;
  const isNew = isAtLeast(version, asked);
  return name === 'atleast' ? isNew : not(isNew);
}

/** Unknown for a later release of the same branch: only the branch is known here. */
function isAtLeast(version: string, asked: string): Tristate {
  const [have, want] = [version, asked].map((text) => text.split('.').map(Number));
  const [major = 0, minor = 0] = have ?? [];
  const [askedMajor = 0, askedMinor = 0, askedRelease = 0] = want ?? [];
  if (major === askedMajor && minor === askedMinor) return askedRelease === 0 ? true : undefined;
  return major > askedMajor || (major === askedMajor && minor > askedMinor);
}
