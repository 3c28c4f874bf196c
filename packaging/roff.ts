/** What `mandoc -Tlint` takes for long is more. */
const MAX_LINE = 80;

/** Escapes text for roff. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&')
    .replace(/\P{ASCII}/gu, (character) => `\\[u${codeOf(character).toString(16).toUpperCase().padStart(4, '0')}]`);
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** Lines of text that is filled, as short as roff's tools want them; where it has a line break of its own it keeps it. */
export function filled(text: string): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    for (const word of paragraph.split(' ')) {
      const longer = `${lines.at(-1)} ${word}`;
      if (lines.length > 0 && roff(longer).length <= MAX_LINE) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.map(roff);
  });
}

/** The head of a man page; dated by its sources, so that the build is reproducible. */
export function pageHead(name: string, section: number, version: string, epochSeconds: number): string[] {
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10);
  return [`.TH ${name.toUpperCase()} ${section} ${date} "haverdict ${version}"`, '.nh', '.ad l'];
}

/** A paragraph with a tag: an option, a setting. */
export function tagged(tag: string, ...lines: readonly string[]): string[] {
  return ['.TP', `.B ${roff(tag)}`, ...lines];
}
