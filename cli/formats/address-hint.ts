import { formatNetwork, masked, parseAddress } from '../../contract/address.ts';

/** What a text was probably meant to be, and what to write; undefined if that is not this. */
export type Hint = (text: string) => string | undefined;

/** What a text that is no address was probably meant to be, and what to write; undefined if that is not clear. */
export function addressHint(text: string): string | undefined {
  return firstHint(HINTS, text);
}

/** What the first of them knows. */
export function firstHint(hints: readonly Hint[], text: string): string | undefined {
  for (const hint of hints) {
    const found = hint(text);
    if (found !== undefined) return found;
  }
  return undefined;
}

const HINTS: readonly Hint[] = [
  (text) => {
    const [, address = '', mask = ''] = /^([\d.]+)\s*\/?\s*(255\.[\d.]+)$/.exec(text) ?? [];
    const bits = parseAddress(mask)?.reduce((all, byte) => all + byte.toString(2).padStart(8, '0'), '') ?? '';
    if (!/^1+0*$/.test(bits)) return undefined;
    return networkHint('has a mask', address, bits.indexOf('0') < 0 ? 32 : bits.indexOf('0'));
  },
  (text) => {
    const octets = /^(\d{1,3}(?:\.\d{1,3}){0,2})((?:\.\*)+|\.?)$/.exec(text)?.[1]?.split('.') ?? [];
    if (octets.length < 1 || (octets.length === 1 && !text.includes('*'))) return undefined;
    const address = [...octets, '0', '0', '0'].slice(0, 4).join('.');
    return networkHint('is not whole', address, octets.length * 8);
  },
  (text) => {
    const [address = '', zone] = text.split('%');
    const hasZone = zone !== undefined && address.includes(':') && parseAddress(address) !== undefined;
    return hasZone ? `has a zone: write ${address}` : undefined;
  },
  (text) => {
    const [, network = '', first = '', last = ''] = /^((?:\d{1,3}\.){3})(\d{1,3}) *[-–] *(\d{1,3})$/.exec(text) ?? [];
    return Number(first) <= Number(last) ? rangeHint(`${network}${first}`, `${network}${last}`) : undefined;
  },
  (text) => {
    const [, first = '', last = ''] = /^([\da-f.:]+?) *(?:[–—]|\.{2,}) *([\da-f.:]+)$/i.exec(text) ?? [];
    return rangeHint(first, last);
  },
  // Of others, some programs read the zero as octal.
  (text) =>
    /^\d{3}(\.\d{3}){3}$/.test(text)
      ? writtenAs('has zeros before its numbers', text, text.replace(/(^|\.)0+(?=\d)/g, '$1'))
      : undefined,
  (text) => writtenAs('has brackets around its dots', text, text.replace(/\[([.:])\]|\(([.:])\)/g, '$1$2')),
  (text) => writtenAs('ends with a dot', text, text.replace(/\.$/, '')),
  (text) => writtenAs('is in quotes', text, text.replace(/^(['"`])(.*)\1$/, '$2')),
];

function networkHint(what: string, address: string, prefix: number): string | undefined {
  const bytes = parseAddress(address);
  return bytes === undefined || prefix < 8 ? undefined : `${what}: write ${formatNetwork(masked(bytes, prefix))}`;
}

function rangeHint(first: string, last: string): string | undefined {
  const isRange = parseAddress(first) !== undefined && parseAddress(last) !== undefined;
  return isRange ? `is a range: write ${first}-${last}` : undefined;
}

function writtenAs(what: string, text: string, address: string): string | undefined {
  return address === text || parseAddress(address) === undefined ? undefined : `${what}: write ${address}`;
}
