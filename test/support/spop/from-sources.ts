import { registerHooks } from 'node:module';

/** Loads `haverdict-spop` from the sources, as nothing is built for `npm test`. */
registerHooks({
  resolve(name, context, next) {
    if (name !== 'haverdict-spop') return next(name, context);
    return { url: new URL('../../../spop/spop.ts', import.meta.url).href, shortCircuit: true };
  },
});
