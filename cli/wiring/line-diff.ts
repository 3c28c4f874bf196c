/** The lines that differ, with `-` and `+` before them, and all that are alike with a blank; parts are short. */
export function lineDiff(before: readonly string[], after: readonly string[]): string[] {
  const common = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1));
  const at = (one: number, other: number) => common[one]?.[other] ?? 0;
  for (let one = before.length - 1; one >= 0; one--)
    for (let other = after.length - 1; other >= 0; other--) {
      const row = common[one];
      if (row === undefined) continue;
      row[other] =
        before[one] === after[other] ? at(one + 1, other + 1) + 1 : Math.max(at(one + 1, other), at(one, other + 1));
    }
  const diff: string[] = [];
  let [one, other] = [0, 0];
  while (one < before.length || other < after.length) {
    if (one < before.length && other < after.length && before[one] === after[other]) {
      diff.push(` ${before[one]}`);
      one++;
      other++;
    } else if (other >= after.length || (one < before.length && at(one + 1, other) >= at(one, other + 1)))
      diff.push(`-${before[one++]}`);
    else diff.push(`+${after[other++]}`);
  }
  return diff;
}
