interface EventFacts {
  readonly mode: 'tcp' | 'http';
  readonly side: 'request' | 'response';
  /** The section whose filters see it; absent for events of both. */
  readonly section?: 'frontend' | 'backend';
  /** Where its variables are set; absent for an event at which no message can be sent. */
  readonly scope?: string;
}

/**
 * The events at which HAProxy can send a message, in the order in which they happen. HAProxy runs the rules of the same
 * section, mode and side right after an event.
 *
 * Every event that both sides of HAProxy can tell apart has a scope of its own, so that no decision is mistaken for another.
 * `txn` can be read until the end of the request, in logs too; `sess` by every request of the connection; `req` by the
 * rules of the request, `res` by those of the response (seen on 2.4 to 3.5).
 */
const EVENTS = {
  'on-client-session': { mode: 'tcp', side: 'request', section: 'frontend', scope: 'sess' },
  'on-frontend-tcp-request': { mode: 'tcp', side: 'request', section: 'frontend', scope: 'sess' },
  'on-frontend-http-request': { mode: 'http', side: 'request', section: 'frontend', scope: 'txn' },
  'on-backend-tcp-request': { mode: 'tcp', side: 'request', section: 'backend' },
  'on-backend-http-request': { mode: 'http', side: 'request', section: 'backend', scope: 'req' },
  'on-server-session': { mode: 'tcp', side: 'response', section: 'backend' },
  'on-tcp-response': { mode: 'tcp', side: 'response', scope: 'res' },
  'on-http-response': { mode: 'http', side: 'response', scope: 'res' },
} as const satisfies Readonly<Record<string, EventFacts>>;

type Table = typeof EVENTS;
/** An event at which a message can be sent. */
export type Event = { [Name in keyof Table]: Table[Name] extends { scope: string } ? Name : never }[keyof Table];
export type Scope = Table[Event]['scope'];

export const MESSAGE_EVENTS = (Object.keys(EVENTS) as (keyof Table)[]).filter(
  (name): name is Event => 'scope' in EVENTS[name],
);

export const DEFAULT_EVENT: Event = 'on-frontend-http-request';

/** The scope of the default event, and of groups, which are sent by rules of the request. */
export const REQUEST_SCOPE = EVENTS[DEFAULT_EVENT].scope;

/** The scope of a message that is sent at this event, or without one by a rule. */
export function scopeOf(event: Event | undefined): Scope {
  return event === undefined ? REQUEST_SCOPE : EVENTS[event].scope;
}

/** What an event is; undefined without one, and for a name that HAProxy does not have. */
export function eventFacts(name: string | undefined): EventFacts | undefined {
  return Object.hasOwn(EVENTS, name ?? '') ? EVENTS[name as keyof Table] : undefined;
}

/** Is this message sent at an event of this kind? A message that a rule sends is sent at none. */
export function isSentAt({ event }: { readonly event?: Event | undefined }, wanted: Partial<EventFacts>): boolean {
  const facts = eventFacts(event);
  return (
    facts !== undefined && Object.entries(wanted).every(([key, value]) => facts[key as keyof EventFacts] === value)
  );
}
