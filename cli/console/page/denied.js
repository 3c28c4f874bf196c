import { run } from './command.js';
import { el, foreign, table, time } from './dom.js';
import { form } from './form.js';

/** What each agent denied lately. */
export async function deniedView(part, _rest, again) {
  const { out } = await run('denied', [], { json: true });
  part.append(
    el('h1', {}, 'Denied lately'),
    form(again, el('div', { class: 'buttons' }, el('button', {}, 'Look again'))),
  );
  for (const one of JSON.parse(out.join(''))) part.append(el('section', {}, ...agent(one)));
}

function agent({ agent, host, problem, recent, top }) {
  if (problem !== undefined) return [el('h2', { class: 'out' }, agent), el('p', {}, foreign(problem))];
  const heading = el('h2', {}, foreign(host), el('small', {}, ` ${agent}`));
  if (recent.length === 0) return [heading, el('p', {}, 'Nothing was denied.')];
  return [heading, mostDenied(top), clientsOf(recent), newest(recent)];
}

const subjectLink = (subject) => el('a', { href: `#search/${encodeURIComponent(subject)}` }, foreign(subject));

function newest(recent) {
  return table(
    'The newest first',
    [
      ['When', ({ at }) => time(at)],
      ['Client', ({ client }) => client && subjectLink(client)],
      ['Entry', ({ subject }) => foreign(subject)],
      ['List', ({ list }) => foreign(list)],
      ['Action', ({ action, status }) => foreign([action, status].filter(Boolean).join(' '))],
      ['Why', ({ reason }) => foreign(reason)],
      ['Reference', ({ ref }) => foreign(ref)],
    ],
    recent,
  );
}

/** Who asked most often, by what the agent remembers. */
function clientsOf(recent) {
  const byClient = [...Map.groupBy(recent, ({ client }) => client)].filter(([client]) => client);
  const counted = byClient.map(([client, { length }]) => ({ client, count: length }));
  return table(
    `Clients of the last ${recent.length} denies`,
    [
      ['Client', ({ client }) => subjectLink(client)],
      ['Times', ({ count }) => String(count)],
    ],
    counted.sort((a, b) => b.count - a.count).slice(0, 5),
  );
}

function mostDenied(top) {
  return table(
    'Most often in the last five minutes',
    [
      ['Entry', ({ subject }) => subjectLink(subject)],
      ['List', ({ list }) => foreign(list)],
      ['Times', ({ count }) => String(count)],
    ],
    top.slice(0, 10),
  );
}
