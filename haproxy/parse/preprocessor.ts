/** The lines of a file that HAProxy reads: all but those that `.if` excludes. */
export interface ConditionalText {
  readonly file: string;
  readonly lines: readonly { readonly text: string; readonly number: number }[];
}

/** `taken`: an earlier branch was true, so the others are not read. */
interface Block {
  reads: boolean;
  taken: boolean;
}

/**
 * Excludes what `.if` and `.elif` exclude for this HAProxy version (configuration.txt 2.4). Under an unknown condition, such
 * as one on the environment, both branches are read.
 */
export function readLines(file: string, text: string, version: string): ConditionalText {
  const lines: { text: string; number: number }[] = [];
  const blocks: Block[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [, directive, condition = ''] =
      /^\s*\.(if|elif|else|endif|diag|notice|warning|alert)\b\s*(.*)$/.exec(line) ?? [];
    if (directive !== undefined) step(blocks, directive, condition, version);
    else if (blocks.every(({ reads }) => reads)) lines.push({ text: line.replace(/\r$/, ''), number: index + 1 });
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
  }
}

function branch(condition: boolean | undefined): Block {
  return { reads: condition !== false, taken: condition === true };
}

function isTrue(text: string, version: string): boolean | undefined {
  const condition = text.replace(/#.*$/, '').trim();
  if (condition.startsWith('!')) {
    const inner = isTrue(condition.slice(1), version);
    return inner === undefined ? undefined : !inner;
  }
  if (/^(true|[1-9]\d*)$/.test(condition)) return true;
  if (/^(false|0)$/.test(condition)) return false;
  const [, predicate, asked = ''] = /^version_(atleast|before)\(([\d.]+)[^)]*\)$/.exec(condition) ?? [];
  if (predicate === undefined) return undefined;
  return isAtLeast(version, asked) === (predicate === 'atleast');
}

function isAtLeast(version: string, asked: string): boolean {
  const [have, want] = [version, asked].map((text) => text.split('.').map(Number));
  const [major = 0, minor = 0] = have ?? [];
  const [askedMajor = 0, askedMinor = 0] = want ?? [];
  return major > askedMajor || (major === askedMajor && minor >= askedMinor);
}
