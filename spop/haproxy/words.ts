/** In double quotes; a dollar begins a variable of HAProxy's environment. */
const QUOTED = /"(?:[^"\\$]|\\[^x])*"/;
/** Nothing is special in single quotes. */
const STRONG = /'[^']*'/;
/** Outside of quotes a hash begins a comment; a backslash escapes one character, and `\x` needs two digits. */
const PLAIN = /[^\s"'\\#]|\\[^x]/;
const WORD = new RegExp(`(?:${PLAIN.source}|${QUOTED.source}|${STRONG.source})+`);

/** The words of a part of a line, as HAProxy reads it, still quoted; undefined if it would refuse it or read less. */
export function wordsOf(text: string): readonly string[] | undefined {
  if (!/^[\x20-\x7e]*$/.test(text)) return undefined;
  const words: string[] = [];
  const next = new RegExp(`^ *(${WORD.source})`);
  let rest = text;
  for (let found = next.exec(rest); found !== null; found = next.exec(rest)) {
    words.push(found[1] ?? '');
    rest = rest.slice(found[0].length);
  }
  return rest.trim() === '' ? words : undefined;
}

/** ACLs that every HAProxy has. */
const PREDEFINED =
  /^(?:TRUE|FALSE|HTTP|HTTP_1\.[01]|HTTP_CONTENT|HTTP_URL_(?:ABS|SLASH|STAR)|LOCALHOST|METH_(?:CONNECT|DELETE|GET|HEAD|OPTIONS|POST|PUT|TRACE)|RDP_COOKIE|REQ_CONTENT|WAIT_END)$/;

/** How what is tested begins, quoted or not: a name. */
const FETCH = /^["']?[A-Za-z]/;

/** Is this a condition: tests in braces or ACLs that every HAProxy has, negated or not, with `or` between some? */
export function isCondition(words: readonly string[]): boolean {
  let isComplete = false;
  for (let at = 0; at < words.length; at++) {
    const word = (words[at] ?? '').replace(/^!+/, '');
    if (word === '') isComplete = false;
    else if (word === 'or' || word === '||') {
      if (!isComplete) return false;
      isComplete = false;
    } else if (word === '{') {
      const end = words.indexOf('}', at);
      const [fetch = '', ...values] = words.slice(at + 1, end);
      if (end === -1 || !FETCH.test(fetch) || values.some((value) => /^!*\{$/.test(value))) return false;
      at = end;
      isComplete = true;
    } else if (PREDEFINED.test(word)) isComplete = true;
    else return false;
  }
  return isComplete;
}
