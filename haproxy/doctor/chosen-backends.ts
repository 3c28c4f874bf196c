import type { ProxySection } from '../parse/proxy.ts';
import { type Installation, readNamed } from './installation.ts';
import { type Chosen, isExpression } from './passage.ts';

/** A sample in a log format, or a variable of the environment: what stands there is known when HAProxy runs. */
const UNKNOWN = /%\[[^\]]*\]|\$\{?\w+\}?/;
/** A map, with the file and what is taken where it has no value. */
const MAP = /,map(?:_\w+)?\(([^),]+)(?:,([^)]*))?\)/;

/**
 * What a section may choose while HAProxy runs. Of a map, its values as far as the file can be read, and the file itself, so
 * that two sections with the same map have something in common. Of another sample, the expression, and the backends whose
 * names have what is written around it; what the client sends alone may name any.
 */
export function chosenBackends({ place }: ProxySection, installation: Installation, isGuarded: boolean): Chosen {
  const { config, files } = installation;
  return (expression) => {
    if (!isExpression(expression)) return [expression];
    const [start = '', end = '', ...more] = expression.split(UNKNOWN);
    const [map, file = '', other] = MAP.exec(expression) ?? [];
    if (map !== undefined) {
      const text = readNamed(file.replace(/^opt@/, ''), place, config, files)?.text ?? '';
      const values = [...valuesIn(text), ...(other === undefined ? [] : [other])];
      return [file, ...(more.length > 0 ? [] : values.map((value) => `${start}${value}${end}`))];
    }
    // a variable is set by the operator, and a name that is all unknown says nothing of what a guarded section uses
    if (start + end === '' && (isGuarded || /%\[var\(|\$/.test(expression))) return [expression];
    const names = config.proxies.filter(({ kind }) => kind !== 'frontend').map(({ name }) => name);
    const last = more.at(-1) ?? end;
    return [expression, ...names.filter((name) => name.startsWith(start) && name.endsWith(last))];
  };
}

function valuesIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.flatMap((line) => (line.startsWith('#') ? [] : (/^\S+\s+(\S+)/.exec(line)?.[1] ?? [])));
}
