import { registerHooks } from 'node:module';

/** Loads `haverdict/infra` from the sources, as nothing is built for `npm test`. */
registerHooks({
  resolve(name, context, next) {
    if (name !== 'haverdict/infra') return next(name, context);
    return { url: new URL('../../../infra/backend.ts', import.meta.url).href, shortCircuit: true };
  },
});
