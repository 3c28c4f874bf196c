import type { Settings } from '../../../config/settings.ts';
import { VARIABLES } from '../../vocabulary.ts';
import type { Reading } from '../reading.ts';

/** One rule a backend: HAProxy would answer 503 for a name that it does not know. */
export function routeRules({ haproxy }: Settings, reading: Reading): string[] {
  return haproxy.backends.map(
    (backend) =>
      `use_backend ${backend} if ${reading.is('route')} { ${reading.variable(VARIABLES.backend)} -m str ${backend} }`,
  );
}
