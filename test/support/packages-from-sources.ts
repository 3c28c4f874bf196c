import { registerHooks } from 'node:module';

/** Where the packages are that a program imports by name. */
const SOURCES: Readonly<Record<string, string>> = {
  'haverdict-spop': '../../spop/spop.ts',
  'haverdict/script': '../../agent/scripts/script-types.ts',
  'haverdict/infra': '../../infra/backend.ts',
};

/** Loads our packages from the sources, as nothing is built for `npm test`. */
registerHooks({
  resolve(name, context, next) {
    const source = SOURCES[name];
    return source === undefined
      ? next(name, context)
      : { url: new URL(source, import.meta.url).href, shortCircuit: true };
  },
});
