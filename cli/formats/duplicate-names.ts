/** Texts, with what makes one a name, and the ends of objects; nothing else of JSON can have these signs in it. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/gs;

/** The name that an object in this JSON has twice, of which a reader takes one or the other; undefined if none. */
export function duplicateName(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, isName] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(undefined);
    else if (token === '}') open.pop();
    else if (isName !== undefined) {
      const text = token.slice(1, token.lastIndexOf('"'));
      const name = text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text;
      const names = open.at(-1) ?? new Set();
      if (names.has(name)) return name;
      open[open.length - 1] = names.add(name);
    }
  }
  return undefined;
}
