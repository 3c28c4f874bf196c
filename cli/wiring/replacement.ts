import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import {
  FRONTENDS,
  missingParts,
  partFor,
  SPOE_PART,
  spoePathIn,
  unknownName,
} from '../../haproxy/generate/fragment.ts';
import { DEFAULT_SPOE_PATH } from '../../haproxy/generate/frontend.ts';
import {
  type BrokenMark,
  type FoundPart,
  isEdited,
  type MarkedPart,
  readMarks,
  withParts,
} from '../../haproxy/generate/marks.ts';
import { pathsOf } from '../../haproxy/parse/named-file.ts';
import { readLines } from '../../haproxy/parse/preprocessor.ts';
import { type HaproxyConfig, readConfig } from '../../haproxy/parse/proxy.ts';
import { readSections } from '../../haproxy/parse/sections.ts';
import { CliError, EXIT } from '../exit/cli-error.ts';
import { type MarkedText, withMarks } from './added-marks.ts';
import { type FileOnDisk, readOnDisk } from './file-on-disk.ts';

/** A file with its marked parts, each with what belongs there now. */
export interface Replacement {
  readonly file: FileOnDisk;
  /** Whether this is a SPOE file, which HAProxy reads by its filter line alone. */
  readonly isSpoe: boolean;
  readonly parts: readonly ReplacedPart[];
  readonly broken: readonly BrokenMark[];
  /** As it is, the same with marks for parts that it gets, and with the parts. */
  readonly before: string;
  readonly marked: string;
  readonly after: string;
}

export interface ReplacedPart {
  readonly found: FoundPart;
  /** Whether its marks are new. */
  readonly isNew: boolean;
  readonly part: MarkedPart;
  /** As its filter line has it, and the file that HAProxy reads there. */
  readonly spoePath: string;
  readonly spoeFile: string;
}

/**
 * The parts of these files and of the SPOE files that they name, with new marks for these frontends; whatever makes replacing
 * unsafe is an error that names all of it.
 */
export function replacementsIn(
  paths: readonly string[],
  settings: Settings,
  { force, frontends }: { readonly force: boolean; readonly frontends: readonly string[] },
): Replacement[] {
  const files = paths.map((path) => readOnDisk(path));
  const sections = files.flatMap((file) => readSections(readLines(file.path, textOf(file), settings.haproxy.version)));
  const config = readConfig(paths, sections);
  const texts = files.map((file) => ({ path: file.path, text: textOf(file) }));
  const marked = frontends.length === 0 ? [] : orRefused(() => withMarks(texts, sections, config.proxies, frontends));
  const own = files.map((file, at) => replacementIn(file, settings, config, false, marked[at]));
  const spoeFiles = own.flatMap(({ parts }) =>
    parts.filter(({ found }) => FRONTENDS.includes(found.name)).map(({ spoeFile }) => spoeFile),
  );
  const spoe = [...new Set(spoeFiles)].map((path) =>
    replacementIn(readOnDisk(path, spoeRemedy(path, paths)), settings, config, true),
  );
  const all = [...spoe, ...own];
  const names = new Set(all.flatMap(({ parts }) => parts.map(({ found }) => found.name)));
  const problems = [
    ...own.flatMap((one, at) => sameFile(one, own.slice(0, at))),
    ...spoe.flatMap((one) => readAsConfig(one, own)),
    ...all.flatMap(({ file, broken }) => broken.map(({ at, what }) => `${file.path}:${at + 1}: ${what}`)),
    ...all.flatMap(namesIn),
    ...own.flatMap(uselessIn),
    ...(force ? [] : all.flatMap(editsIn)),
    ...missingParts(settings, names).map(missingText),
    ...all
      .filter(({ isSpoe, parts }) => isSpoe && !parts.some(({ found }) => found.name === SPOE_PART))
      .map(({ file }) => `${file.path}: ${missingText(SPOE_PART)}`),
  ];
  if (problems.length > 0)
    throw new CliError(EXIT.failed, `nothing was replaced\n${problems.map((line) => `  ${line}`).join('\n')}`);
  return all;
}

/** The same text with other SPOE files in its filter lines, for HAProxy to check. */
export function withSpoePaths(
  { marked, parts }: Replacement,
  settings: Settings,
  pathOf: (part: ReplacedPart) => string,
): string {
  return withParts(
    marked,
    parts.map((part) => ({ found: part.found, part: partFor(part.found, settings, pathOf(part)) })),
  );
}

function orRefused<Result>(add: () => Result): Result {
  try {
    return add();
  } catch (error) {
    throw new CliError(EXIT.failed, `nothing was replaced: ${(error as Error).message}`, { cause: error }); // of withMarks
  }
}

function replacementIn(
  file: FileOnDisk,
  settings: Settings,
  config: HaproxyConfig,
  isSpoe: boolean,
  { text: marked, added }: Pick<MarkedText, 'text' | 'added'> = { text: textOf(file), added: new Set() },
): Replacement {
  const before = textOf(file);
  const marks = readMarks(marked);
  const known = spoePathIn(
    marks.parts.flatMap(({ lines }) => lines),
    spoePathBeside(file.path),
  );
  const parts = marks.parts.map((found) => {
    const spoePath = spoePathIn(found.lines, known);
    const paths = pathsOf(spoePath, file.path, config).map((path) => resolve(path));
    const spoeFile = paths.find((path) => existsSync(path)) ?? paths[0] ?? spoePath;
    const isNew = added.has(found.from);
    return { found, isNew, part: partFor(found, settings, spoePath), spoePath, spoeFile };
  });
  return { file, isSpoe, parts, broken: marks.broken, before, marked, after: withParts(marked, parts) };
}

function textOf({ bytes, encoding }: FileOnDisk): string {
  return bytes.toString(encoding);
}

/** For a place that is still empty: the SPOE file that stands beside this file, or the usual one. */
function spoePathBeside(path: string): string {
  const beside = resolve(dirname(path), basename(DEFAULT_SPOE_PATH));
  return existsSync(beside) ? beside : DEFAULT_SPOE_PATH;
}

/** The usual one may be missing because these files are elsewhere: beside them it would be found. */
function spoeRemedy(path: string, files: readonly string[]): string {
  const usual = `haverdict wiring --out ${dirname(path)} writes it`;
  const folder = dirname(resolve(files[0] ?? ''));
  if (path !== DEFAULT_SPOE_PATH || isWithin(folder, dirname(path))) return usual;
  return `${usual}, and --out ${folder} writes one that is found beside ${files[0]}`;
}

function isWithin(folder: string, outer: string): boolean {
  return `${folder}/`.startsWith(`${outer}/`);
}

function editsIn({ file, parts }: Replacement): string[] {
  return parts
    .filter(({ found }) => isEdited(found))
    .map(
      ({ found }) =>
        `${file.path}:${found.from + 1}: part ${found.name} was edited by hand: --force replaces it all the same`,
    );
}

/** A new part without lines: nothing would be checked there. */
function uselessIn({ file, parts }: Replacement): string[] {
  return parts
    .filter(({ isNew, part }) => isNew && part.text === '')
    .map(({ part: { name } }) => {
      const mode = name === 'frontend' ? 'http' : 'tcp';
      return `${file.path}: part ${name} would be empty: no message of the configuration is for a frontend in mode ${mode}`;
    });
}

function namesIn({ file, parts }: Replacement): string[] {
  return parts.flatMap(({ found }) => {
    const what = unknownName(found.name);
    return what === undefined ? [] : `${file.path}:${found.from + 1}: ${what}`;
  });
}

function sameFile({ file }: Replacement, before: readonly Replacement[]): string[] {
  const other = before.find((one) => one.file.realPath === file.realPath);
  return other === undefined ? [] : [`${file.path} is the same file as ${other.file.path}: name it once`];
}

/** HAProxy reads each `*.cfg` of a folder that it is given. */
function readAsConfig({ file }: Replacement, own: readonly Replacement[]): string[] {
  if (own.every((one) => one.file.realPath !== file.realPath)) return [];
  return [
    `${file.path} is the SPOE file, and HAProxy would read it as its configuration too: move it to another folder, and change its path in the filter lines`,
  ];
}

function missingText(name: string): string {
  return `there is no part ${name} between marks: paste it once with its marks, as haverdict wiring prints it`;
}
