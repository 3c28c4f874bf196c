/** Escapes text for roff. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
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
