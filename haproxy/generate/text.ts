/** Lines of a section, indented; empty ones part them, at most one at a time and none at the end. */
export function block(lines: readonly string[]): string {
  const kept = lines.filter((line, at) => line !== '' || (lines[at + 1] ?? '') !== '');
  return kept.map((line) => (line === '' ? '\n' : `    ${line}\n`)).join('');
}
