/** Lines of a section, indented; single blank lines separate them, and none stands at the end. */
export function indent(lines: readonly string[]): string {
  const kept = lines.flatMap(withinWords).filter((line, at, all) => line !== '' || (all[at + 1] ?? '') !== '');
  return kept.map((line) => (line === '' ? '\n' : `    ${line}\n`)).join('');
}

/** HAProxy takes so many words a line. */
const MAX_WORDS = 64;
/** Rules that do no more when two of them apply: what stops or sets, and what sends a group until there is an answer. */
const REPEATABLE =
  /^\S+ (?:content )?(?:deny |reject |set-var\(|sc-set-|send-spoe-group .*!\{ var\(\S+\.action\) -m found \})/;

/** A rule that is too long, as several of the same that each have a part of its alternatives. */
function withinWords(line: string): string[] {
  const [rule = '', condition] = line.split(/ if (.*)/s);
  if (condition === undefined || !REPEATABLE.test(line) || wordCount(line) <= MAX_WORDS) return [line];
  const lines: string[] = [];
  for (const alternative of alternativesOf(condition)) {
    const longer = `${lines.at(-1)} or ${alternative}`;
    if (lines.length > 0 && wordCount(longer) <= MAX_WORDS) lines[lines.length - 1] = longer;
    else lines.push(`${rule} if ${alternative}`);
  }
  return lines;
}

function wordCount(line: string): number {
  return line.split(' ').length;
}

/** A text as one word of HAProxy's configuration (configuration.txt 2.2). */
export function quoteWord(text: string): string {
  return text.replace(/[\s"'#\\]/g, '\\$&');
}

/** The value of a variable as one word, in a place that takes a log-format string. */
export function formatVariable(variable: string): string {
  return `"%[${variable}]"`;
}

/** Both conditions together, each of which may be several joined by `or`: HAProxy has no parentheses for these. */
export function bothConditions(condition: string | undefined, test: string): string {
  if (condition === undefined) return test;
  const tests = alternativesOf(test);
  return alternativesOf(condition)
    .flatMap((alternative) => tests.map((test) => `${alternative} ${test}`))
    .join(' or ');
}

function alternativesOf(condition: string): string[] {
  const alternatives: string[][] = [[]];
  let depth = 0;
  for (const word of condition.split(/\s+/).filter((word) => word !== '')) {
    if (word.endsWith('{')) depth++;
    if (word === '}') depth--;
    if (depth === 0 && (word === 'or' || word === '||')) alternatives.push([]);
    else alternatives.at(-1)?.push(word);
  }
  return alternatives.map((words) => words.join(' '));
}
