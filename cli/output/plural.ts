/** `1 entry`, `2 entries`: what is counted is regular unless its plural is given. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
