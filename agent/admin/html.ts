import { printable } from '../../contract/printable.ts';

/** Markup, which is not escaped again. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

/** Markup from a template; interpolated values are escaped unless they are markup. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(String.raw({ raw: strings }, ...parts.map(textOf)));
}

/** Untrusted text, with invisible characters escaped, isolated from the text direction around it. */
export function foreign(text: string, maxLength?: number): Html {
  return html`<bdi>${printable(text, maxLength)}</bdi>`;
}

/** A subject or another untrusted text; an IPv6 address breaks only between its groups. */
export function subject(text: string, maxLength?: number): Html {
  const shown = foreign(text, maxLength);
  return /^ip:[\da-f]*:[\da-f:./]*$/i.test(text) ? new Html(shown.text.replaceAll(/(?<!ip):/g, ':<wbr>')) : shown;
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(({ text }) => text).join('');
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
