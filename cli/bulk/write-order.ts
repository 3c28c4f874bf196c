import { hash } from 'node:crypto';

/** The sort key under which a subject is written or shown. */
export type WriteOrder = (subject: string) => string;

/**
 * Scattered: all entries of a list are in one partition of the index, sorted by subject, and writes that follow that order
 * would all go to the same part of it.
 */
export const HASHED: WriteOrder = (subject) => `${hash('sha1', subject).slice(0, 12)} ${subject}`;

/** For people to read. */
export const BY_SUBJECT: WriteOrder = (subject) => subject;
