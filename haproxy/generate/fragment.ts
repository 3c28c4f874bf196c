import type { Settings } from '../../config/settings.ts';
import { agentsBackend } from './backend.ts';
import { DEFAULT_SPOE_PATH, frontendRoutes, frontendRules } from './frontend.ts';
import { backendRules } from './guarded-backend.ts';
import { tcpBackendRules, tcpFrontendRules } from './tcp.ts';

interface Part {
  readonly where: string;
  readonly text: string;
}

/** Everything HAProxy needs beside the SPOE file: lines for the operator's sections, and the backend of the agents. */
export function haproxyFragment(settings: Settings, spoePath = DEFAULT_SPOE_PATH): string {
  const parts = partsOf(settings, spoePath).filter(({ text }) => text !== '');
  return parts.map(({ where, text }, index) => `# Part ${index + 1} of ${parts.length}: ${where}\n${text}`).join('\n');
}

function partsOf(settings: Settings, spoePath: string): Part[] {
  return [
    {
      where: 'put these lines into each frontend that haverdict shall guard, before its other rules.',
      text: frontendRules(settings, spoePath),
    },
    {
      where: 'put these lines into the same frontends, below all http-request rules and above the other use_backend.',
      text: frontendRoutes(settings),
    },
    {
      where: 'put these lines into each HTTP backend that those frontends lead to, before its other rules.',
      text: backendRules(settings),
    },
    {
      where: 'put these lines into each frontend in mode tcp that haverdict shall guard, instead of those of part 1.',
      text: tcpFrontendRules(settings, spoePath),
    },
    {
      where: 'put these lines into each backend in mode tcp that those lead to.',
      text: tcpBackendRules(settings),
    },
    { where: 'put this section beside the other backends, once.', text: agentsBackend(settings) },
  ];
}
