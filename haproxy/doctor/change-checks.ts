import type { MessageSettings } from '../../config/settings.ts';
import { isSentAt } from '../events.ts';
import { decisionVariables } from '../generate/decision-variables.ts';
import type { ProxySection } from '../parse/proxy.ts';
import type { Rule } from '../parse/rules.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { VARIABLES } from '../variables.ts';
import type { Checks } from './check.ts';
import { label } from './filter-checks.ts';
import { guardedMessages, type Installation } from './installation.ts';
import { headerNames, messageOf } from './variable-names.ts';
import { ownVariablesIn, rulesReadingDecisions } from './variable-reads.ts';

/** Do rules apply what entries say in addition to their action, as far as the configuration allows it? */
export const CHANGE_CHECKS = {
  'route-not-obeyed': {
    severity: 'error',
    why: 'the configuration lets entries route to this backend, but no rule does: requests go to their usual backend',
    write: 'use_backend <backend> if { <action> -m str route } { <variable> -m str <backend> }',
    *find(installation) {
      for (const { filter, message } of routing(installation)) {
        const decision = decisionVariables(installation.settings.haproxy.prefix, message);
        for (const backend of installation.settings.haproxy.backends)
          if (!isRouted(filter.proxy, backend, message, installation))
            yield {
              place: filter.place,
              what: `no rule of ${label(filter.proxy)} routes to ${backend} for message ${message.name}`,
              values: {
                backend,
                action: decision.variable(VARIABLES.action),
                variable: decision.variable(VARIABLES.backend),
              },
            };
      }
    },
  },
  'route-backend-missing': {
    severity: 'error',
    why: 'HAProxy refuses a rule that uses an unknown backend, and keeps its old configuration',
    write: 'backend <backend>   # or remove the name from haproxy.backends',
    *find({ filters, settings, config }) {
      const names = config.proxies.filter(({ kind }) => kind !== 'frontend').map(({ name }) => name);
      for (const { place } of filters.slice(0, 1))
        for (const backend of settings.haproxy.backends)
          if (!names.includes(backend)) yield { place, what: `there is no backend ${backend}`, values: { backend } };
    },
  },
  'route-below-rules': {
    severity: 'warning',
    why: 'HAProxy takes the first use_backend rule that applies: where it is this one, no entry routes the request',
    write: '<rule>   # below the rules that route',
    *find(installation) {
      for (const proxy of new Set(routing(installation).map(({ filter }) => filter.proxy))) {
        const rules = proxy.rules.filter(({ ruleset }) => ruleset === 'use_backend');
        const reads = (rule: Rule) => ownVariablesIn(rule, proxy.acls, installation.prefixes).length > 0;
        for (const rule of rules.slice(0, Math.max(0, rules.findLastIndex(reads))))
          if (!reads(rule))
            yield {
              place: rule.place,
              what: `use_backend ${rule.action} stands above the rules that route`,
              values: { rule: rule.words.join(' ') },
            };
      }
    },
  },
  'header-not-obeyed': {
    severity: 'warning',
    why: 'the configuration lets entries change this header, but no rule does',
    write: '<ruleset> <change>-header <header> … if { <variable> -m found }',
    *find(installation) {
      const { settings } = installation;
      const { requestHeaders, responseHeaders } = settings.haproxy;
      for (const { filter, message } of guardedMessages(installation).filter(
        ({ filter }) => filter.proxy.mode !== 'tcp',
      )) {
        const sides = [
          {
            side: 'req',
            ruleset: 'http-request',
            headers: isSentAt(message, { side: 'response' }) ? [] : requestHeaders,
          },
          { side: 'res', ruleset: 'http-after-response', headers: responseHeaders },
        ] as const;
        for (const { side, ruleset, headers } of sides)
          for (const header of headers) {
            const missing = headerNames(side, [header]).find((name) => !isRead(name, message, installation));
            if (missing === undefined) continue;
            const [, change = 'set'] = missing.split('.');
            const variable = decisionVariables(settings.haproxy.prefix, message).variable(missing);
            yield {
              place: filter.place,
              what: `no rule applies the changes of ${header} for message ${message.name}`,
              values: { ruleset, change, header, variable },
            };
          }
      }
    },
  },
  'deny-page-missing': {
    severity: 'error',
    why: 'HAProxy reads the file at startup: if it cannot, it refuses the rule and keeps its old configuration',
    write: 'the page at <file>',
    *find(installation) {
      for (const proxy of installation.config.proxies)
        for (const { words, place } of rulesReadingDecisions(proxy, installation)) {
          const file = words[words.findIndex((word) => /^(lf-)?file$|^errorfile$/.test(word)) + 1] ?? '';
          if (file.startsWith('/') && !hasEnvironmentVariable(file) && installation.files.read(file) === undefined)
            yield { place, what: `${file} cannot be read`, values: { file } };
        }
    },
  },
} satisfies Checks;

/** A decision can choose the backend only before it is chosen. */
function routing(installation: Installation) {
  return guardedMessages(installation).filter(
    ({ filter, message }) =>
      filter.proxy.kind !== 'backend' &&
      !isSentAt(message, { side: 'response' }) &&
      !isSentAt(message, { section: 'backend' }),
  );
}

function isRouted(proxy: ProxySection, backend: string, message: MessageSettings, installation: Installation): boolean {
  const { config, settings, prefixes } = installation;
  const reads = (rule: Rule) =>
    ownVariablesIn(rule, proxy.acls, prefixes).some(
      (own) => own.name === VARIABLES.backend && messageOf(settings, own) === message,
    );
  // a frontend in mode tcp cannot lead to a backend in mode http
  if (config.proxies.some(({ name, kind, mode }) => name === backend && kind !== 'frontend' && mode !== proxy.mode))
    return true;
  return proxy.rules.some(
    (rule) => rule.ruleset === 'use_backend' && (rule.action === backend || /[%$]/.test(rule.action)) && reads(rule),
  );
}

function isRead(name: string, message: MessageSettings, { config, settings, prefixes }: Installation): boolean {
  return config.proxies.some(({ rules, acls }) =>
    rules.some((rule) =>
      ownVariablesIn(rule, acls, prefixes).some((own) => own.name === name && messageOf(settings, own) === message),
    ),
  );
}
