/** The known word that was most likely meant; undefined if none is close. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= Math.max(2, Math.ceil(word.length / 3)) ? best.candidate : undefined;
}

/** Insertions, deletions, substitutions, and transpositions of adjacent letters. */
export function editDistance(from: string, to: string): number {
  let above: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let line = 0; line < from.length; line++) {
    const next = [line + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = (row[column] ?? 0) + (from[line] === to[column] ? 0 : 1);
      const edits = Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1);
      const isSwap = column > 0 && from[line] === to[column - 1] && from[line - 1] === to[column];
      next.push(isSwap ? Math.min(edits, (above[column - 1] ?? edits) + 1) : edits);
    }
    above = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
