import type { Settings } from '../../config/settings.ts';
import { agentsBackend } from './agents-backend.ts';
import { backendRules } from './backend-rules.ts';
import { DEFAULT_SPOE_PATH, frontendRoutes, frontendRules } from './frontend.ts';
import { tcpBackendRules, tcpFrontendRules } from './tcp.ts';

interface Part {
  /** Where the operator puts these lines. */
  readonly where: string;
  readonly text: string;
}

/** Everything that HAProxy needs beside the SPOE file: lines for the operator's sections, and the backend of the agents. */
export function haproxyFragment(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  const parts = partsOf(settings, spoePath).filter(({ text }) => text !== '');
  return parts.map(({ where, text }, index) => `# Part ${index + 1} of ${parts.length}: ${where}\n${text}`).join('\n');
}

function partsOf(settings: Settings, spoePath: string): Part[] {
  return [
    {
      where:
        'put these lines into each frontend that haverdict should guard, below its tcp-request rules and above its http-request rules.',
      text: frontendRules(settings, spoePath),
    },
    {
      where:
        'put these lines into the same frontends, below all http-request rules and above all other use_backend rules.',
      text: frontendRoutes(settings),
    },
    {
      where: 'put these lines into each HTTP backend that those frontends use, above its http-request rules.',
      text: backendRules(settings),
    },
    {
      where:
        'put these lines into each frontend in mode tcp that haverdict should guard, above its tcp-request content rules.',
      text: tcpFrontendRules(settings, spoePath),
    },
    {
      where: 'put these lines into each backend in mode tcp that those frontends use.',
      text: tcpBackendRules(settings),
    },
    { where: 'put this section next to the other backends, once.', text: agentsBackend(settings) },
  ];
}
