import type { MessageSettings, Settings } from '../../config/settings.ts';
import { isConnectionGroup } from '../client-bytes.ts';
import { isSentAt } from '../events.ts';
import { ENGINE } from '../generate/spoe.ts';
import { pathsOf } from '../parse/named-file.ts';
import { readLines } from '../parse/preprocessor.ts';
import { type HaproxyConfig, lastOf, optionOf, type ProxySection, readConfig } from '../parse/proxy.ts';
import { type Line, type Place, readSections, type Section } from '../parse/sections.ts';
import { readServers, type Server } from '../parse/server.ts';
import { namesOf, readEngine, type SpoeEngine, type SpoeMessage } from '../parse/spoe-engine.ts';
import { hasEnvironmentVariable } from '../parse/words.ts';
import { ERROR_VARIABLE } from '../variables.ts';
import { type Prefixes, strayPrefixes } from './variable-reads.ts';

/** The access of the doctor to the file system. */
export interface Files {
  /** The text of a file; undefined where it cannot be read. */
  readonly read: (path: string) => string | undefined;
  readonly isSocket: (path: string) => boolean;
}

/** One `filter spoe` line: which engine, from which file, in which proxy. */
export interface Filter {
  readonly proxy: ProxySection;
  readonly place: Place;
  /** As of a line. */
  readonly isUnsure?: true;
  readonly engineName: string;
  /** The resolved path; as written if it cannot be resolved. */
  readonly file: string;
  /** Undefined where the file cannot be read. */
  readonly text?: string;
  /** The sections of that file, of all scopes. */
  readonly sections?: readonly Section[];
  readonly engine?: SpoeEngine;
}

/** The input of the checks: HAProxy's files and the settings of the agent. */
export interface Installation {
  readonly settings: Settings;
  readonly config: HaproxyConfig;
  /** The files of HAProxy themselves, in which marks are comments. */
  readonly texts: readonly { readonly file: string; readonly text: string }[];
  readonly files: Files;
  /** The filters of all proxies that ask this agent. */
  readonly filters: readonly Filter[];
  /** The filters that ask other agents, or whose file cannot be read and names nothing of ours. */
  readonly foreign: readonly Filter[];
  /** The engines of our filters, without duplicates. */
  readonly engines: readonly Engine[];
  readonly prefixes: Prefixes;
}

/** An SPOE engine that asks this agent. */
export interface Engine extends SpoeEngine {
  readonly name: string;
  readonly file: string;
  readonly prefix: string;
  readonly prefixPlace: Place;
  /** The variable of `option set-on-error`. */
  readonly errorVariable?: string;
  /** The backend it names; undefined where there is none of that name. */
  readonly backend?: ProxySection;
  readonly servers: readonly Server[];
}

/** A filter and a message that is sent through it. */
export interface GuardedMessage {
  readonly filter: Filter;
  readonly message: MessageSettings;
}

/** Reads what HAProxy would read; the caller reports files that cannot be read. */
export function readInstallation(
  settings: Settings,
  texts: readonly { readonly file: string; readonly text: string }[],
  files: Files,
): Installation {
  const { version } = settings.haproxy;
  const sections = texts.flatMap(({ file, text }) => readSections(readLines(file, text, version)));
  const config = readConfig(
    texts.map(({ file }) => file),
    sections,
  );
  const all = config.proxies.flatMap((proxy) => filtersOf(proxy, config, files, version));
  const filters = oursAmong(all, settings);
  const foreign = all.filter((filter) => !filters.includes(filter));
  const engines = enginesOf(filters, config);
  const right = new Set([settings.haproxy.prefix, ...engines.map(({ prefix }) => prefix)]);
  return {
    settings,
    config,
    texts,
    files,
    filters,
    foreign,
    engines,
    prefixes: {
      right,
      stray: strayPrefixes(
        config,
        right,
        foreign.map(({ engineName, engine }) => ({ name: engineName, ...(engine && { prefix: prefixOf(engine) }) })),
      ),
      groups: settings.messages.flatMap(({ group }) => group ?? []),
    },
  };
}

/** The messages that HAProxy sends at their event, and those of the groups that rules may send. */
export function sentMessages(engine: SpoeEngine): SpoeMessage[] {
  const grouped = engine.groups.flatMap(({ messages }) => messages);
  const names = new Set([...namesOf(engine.agent, 'messages'), ...grouped]);
  return engine.messages.filter(({ name }) => names.has(name));
}

/** The event of a message as HAProxy takes it: of several lines the last one. */
export function eventOf(message: SpoeMessage): string | undefined {
  return message.events.at(-1)?.words[1];
}

/** The messages that are sent through this filter; in mode tcp there is nothing of HTTP, and a group is sent by a rule. */
function messagesAt({ proxy, engineName }: Filter, { messages }: Settings): MessageSettings[] {
  const isSent = ({ group }: MessageSettings) =>
    proxy.rules.some(({ action, args }) => action === SEND && args[0] === engineName && args[1] === group);
  return messages.filter((message) => {
    if (message.frontends?.includes(proxy.name) === false) return false;
    if (message.group === undefined) return proxy.mode !== 'tcp' || isSentAt(message, { mode: 'tcp' });
    return isConnectionGroup(message) === (proxy.mode === 'tcp') || isSent(message);
  });
}

/** The action of a rule that sends a group. */
export const SEND = 'send-spoe-group';

/** Each filter with each message whose decision is obeyed there. */
export function guardedMessages({ filters, settings }: Installation): readonly GuardedMessage[] {
  return filters.flatMap((filter) => messagesAt(filter, settings).map((message) => ({ filter, message })));
}

export function configuredMessage(settings: Settings, name: string): MessageSettings | undefined {
  return settings.messages.find((message) => message.name === name);
}

function filtersOf(proxy: ProxySection, config: HaproxyConfig, files: Files, version: string): Filter[] {
  return proxy.lines
    .filter(({ words }) => words[0] === 'filter' && words[1] === 'spoe')
    .map(({ words, place, isUnsure }) => {
      const engineName = after(words, 'engine') ?? '';
      const written = after(words, 'config') ?? '';
      const found = readNamed(written, place, config, files);
      const file = found?.path ?? written;
      const sections = found && readSections(readLines(file, found.text, version));
      const engine = sections && readEngine(sections, engineName);
      return {
        proxy,
        place,
        ...(isUnsure && { isUnsure }),
        engineName,
        file,
        ...(found && { text: found.text }),
        ...(sections && { sections }),
        ...(engine && { engine }),
      };
    });
}

export function readNamed(
  written: string,
  { file }: Place,
  config: HaproxyConfig,
  files: Files,
): { readonly path: string; readonly text: string } | undefined {
  for (const path of pathsOf(written, file, config)) {
    const text = hasEnvironmentVariable(path) ? undefined : files.read(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/**
 * Other agents have filters of their own: ours has our name or our prefix. Names of messages are common, so that one of ours
 * tells something only where nothing else does. A filter whose engine is not in the file is ours if the engine of another
 * scope there is.
 */
function oursAmong(filters: readonly Filter[], { haproxy, messages }: Settings): Filter[] {
  const has = (is: (engine: SpoeEngine) => boolean) => (filter: Filter) => enginesMeant(filter).some(is);
  const byName = ({ engineName }: Filter) => engineName === ENGINE;
  const byPrefix = has((engine) => prefixOf(engine) === haproxy.prefix);
  const named = filters.filter((filter) => byName(filter) || byPrefix(filter));
  if (named.length > 0) return named;
  const configured = new Set(messages.map(({ name }) => name));
  return filters.filter(
    has(({ agent, messages }) =>
      [...messages.map(({ name }) => name), ...namesOf(agent, 'messages')].some((name) => configured.has(name)),
    ),
  );
}

function enginesMeant({ engine, sections = [] }: Filter): SpoeEngine[] {
  if (engine !== undefined) return [engine];
  const scopes = new Set(sections.map(({ scope }) => scope));
  return [...scopes].flatMap((scope) => readEngine(sections, scope) ?? []);
}

function enginesOf(filters: readonly Filter[], config: HaproxyConfig): Engine[] {
  const engines = new Map<string, Engine>();
  for (const { engine, engineName, file } of filters) {
    if (engine === undefined) continue;
    const prefix = prefixOf(engine);
    const errorVariable = optionOf(engine.agent.lines, 'set-on-error')?.line.words[2];
    engines.set(`${engineName} ${file}`, {
      ...engine,
      name: engineName,
      file,
      prefix,
      prefixPlace: optionOf(engine.agent.lines, 'var-prefix')?.line.place ?? engine.agent.place,
      ...(errorVariable !== undefined && { errorVariable }),
      ...agentsOf(engine, config),
    });
  }
  return [...engines.values()];
}

function agentsOf(engine: SpoeEngine, { proxies }: HaproxyConfig): Pick<Engine, 'backend' | 'servers'> {
  const name = lastOf(engine.agent.lines, 'use-backend')?.words[1];
  const backend = proxies.find((proxy) => proxy.kind !== 'frontend' && proxy.name === name);
  return { ...(backend && { backend }), servers: backend === undefined ? [] : readServers(backend.lines) };
}

/** Without the option, the name of the agent is the prefix. */
function prefixOf({ agent }: SpoeEngine): string {
  return optionOf(agent.lines, 'var-prefix')?.line.words[2] ?? agent.name;
}

/** The name under which rules may look for the error of this engine. */
export function errorNames({ errorVariable }: Engine): string[] {
  return errorVariable === undefined ? [ERROR_VARIABLE] : [ERROR_VARIABLE, errorVariable];
}

function after(words: readonly string[], keyword: string): string | undefined {
  const at = words.indexOf(keyword);
  return at < 0 ? undefined : words[at + 1];
}

/** Whether the file of one of our engines cannot be read, or does not have it: what it sets and sends is not known then. */
export function isPartlyRead({ filters }: Installation): boolean {
  return filters.some(({ engine }) => engine === undefined);
}

/** The first line of these that holds this word, or the place of the section. */
export function placeOf(lines: readonly Line[], word: string, fallback: Place): Place {
  return lines.find(({ words }) => words.includes(word))?.place ?? fallback;
}
