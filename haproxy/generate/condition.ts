/** The condition and this test, where the condition may be several joined by `or`: HAProxy knows no brackets for these. */
export function bothOf(condition: string | undefined, test: string): string {
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
