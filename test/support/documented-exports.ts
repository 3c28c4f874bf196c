import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An export of a package, with the example in its comment. */
export interface DocumentedExport {
  readonly name: string;
  /** Where it is declared. */
  readonly file: string;
  /** Undefined if the comment has none. */
  readonly example: string | undefined;
}

/** Every export of a module, its own and those of other files that it exports again. */
export function exportsOf(entry: string): DocumentedExport[] {
  const source = readFileSync(entry, 'utf8');
  const again = [...source.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)].flatMap(
    ([, names = '', from = '']) =>
      names.split(',').flatMap((name) => {
        const bare = name.replace(/\btype\b/, '').trim();
        return bare === '' ? [] : [declared(bare, join(dirname(entry), from))];
      }),
  );
  const own = [...source.matchAll(DECLARATION)].map(([, , name = '']) => declared(name, entry));
  return [...own, ...again];
}

/** A comment if there is one, and the name of what is exported. */
const DECLARATION = /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^export (?:const|function|class|interface|type) (\w+)/gm;

/** A value and a type may have the same name: the example is that of one of them. */
function declared(name: string, file: string): DocumentedExport {
  const found = [...readFileSync(file, 'utf8').matchAll(DECLARATION)].filter(([, , other]) => other === name);
  if (found.length === 0) throw new Error(`${file} declares no ${name}`);
  const examples = found.flatMap(([, comment = '']) => {
    const [, lines] = /@example\n \* ```ts\n([\s\S]*?)\n \* ```/.exec(comment) ?? [];
    return lines === undefined ? [] : [lines.replaceAll(/^ \* ?/gm, '')];
  });
  return { name, file, example: examples[0] };
}
