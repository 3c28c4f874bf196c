import { partFor, unknownName } from '../generate/fragment.ts';
import { type FoundPart, isEdited, isOutdated, readMarks } from '../generate/marks.ts';
import type { Place } from '../parse/sections.ts';
import type { Checks } from './check.ts';
import type { Installation } from './installation.ts';

/** Are the parts that `haverdict wiring` wrote between marks what it would write now? */
export const MARKS_CHECKS = {
  'wiring-outdated': {
    severity: 'warning',
    why: 'the configuration, or haverdict itself, has changed since this part was written: HAProxy obeys the older one',
    write: 'haverdict wiring --into <file> --write',
    *find(installation) {
      for (const { found, place } of markedParts(installation))
        if (isOutdated(found, partFor(found, installation.settings)))
          yield {
            place,
            what: `part ${found.name} is not what haverdict wiring writes now`,
            values: { file: place.file },
          };
    },
  },
  'wiring-edited': {
    severity: 'warning',
    why: '`haverdict wiring --into` replaces no part that was edited by hand without --force, and the edit would be lost',
    write: 'lines of your own outside of the marks',
    *find(installation) {
      for (const { found, place } of markedParts(installation))
        if (isEdited(found)) yield { place, what: `part ${found.name} was edited by hand` };
    },
  },
  'marks-broken': {
    severity: 'warning',
    why: '`haverdict wiring --into` replaces nothing where a mark is missing or changed, or names no part',
    write: 'each part with both of its marks, as haverdict wiring prints it',
    *find(installation) {
      for (const { file, text } of textsOf(installation))
        for (const { at, what } of readMarks(text).broken) yield { place: { file, line: at + 1 }, what };
      for (const { found, place } of markedParts(installation)) {
        const what = unknownName(found.name);
        if (what !== undefined) yield { place, what };
      }
    },
  },
} satisfies Checks;

function markedParts(installation: Installation): { readonly found: FoundPart; readonly place: Place }[] {
  return textsOf(installation).flatMap(({ file, text }) =>
    readMarks(text).parts.map((found) => ({ found, place: { file, line: found.from + 1 } })),
  );
}

/** The files of HAProxy, and the SPOE files of our engines, each once. */
function textsOf({ texts, filters }: Installation) {
  const all = [...texts, ...filters.flatMap(({ file, text }) => (text === undefined ? [] : [{ file, text }]))];
  return [...new Map(all.map((one) => [one.file, one])).values()];
}
