import stringWidth from 'string-width';

const SIGNS: Readonly<Record<string, string>> = {
  '▁': '_',
  '▂': '.',
  '▃': '-',
  '▄': ':',
  '▅': '=',
  '▆': '+',
  '▇': '*',
  '█': '#',
  '…': '~',
};

/** Whether the terminal can show all characters, as far as its locale says. */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

/** The text for a terminal that cannot: as wide as it was, with `?` for what ASCII does not have. */
export function inAscii(text: string): string {
  return text.replace(/\P{ASCII}+/gu, (others) =>
    [...new Intl.Segmenter().segment(others)]
      .map(({ segment }) => SIGNS[segment] ?? '?'.repeat(stringWidth(segment)))
      .join(''),
  );
}
