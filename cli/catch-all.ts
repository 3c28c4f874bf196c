/** Methods that nearly every visit has. */
const USUAL_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

/** Why an entry for this subject, which is no address, would meet nearly everybody; undefined if it would not. */
export function catchAllProblem(subject: string): string | undefined {
  const colon = subject.indexOf(':');
  const [kind, value] = [subject.slice(0, colon), subject.slice(colon + 1)];
  if (kind === 'path' && value === '/*') return `${subject} would meet every request`;
  if (kind === 'path' && value === '/') return `${subject} would keep everybody from the front page`;
  if (kind === 'host' && /^\*(\.[^.]*)?$/.test(value)) return `${subject} would meet every host of a top-level domain`;
  if (kind === 'method' && USUAL_METHODS.has(value)) return `${subject} would meet nearly every request`;
  return undefined;
}
