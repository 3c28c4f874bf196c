import { Token } from 'aws-cdk-lib';
import { z } from 'zod';

/**
 * Fields accept typed values, from props, and text, from the CDK context. Where CloudFormation could know the value, they
 * accept a CDK token too.
 */

export const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** Text that matches `form`. */
export function text(form: RegExp, mustBe: string) {
  return z.string(mustBe).refine((value) => Token.isUnresolved(value) || form.test(value), mustBe);
}

export function wholeNumber(min: number, max: number) {
  return z.preprocess(numeral, bounded(min, max, `a whole number from ${min} to ${max}`));
}

export function wholeNumberOr<const Word extends string>(min: number, max: number, word: Word) {
  const mustBe = `a whole number from ${min} to ${max}, or ${word}`;
  return z.preprocess(numeral, z.union([bounded(min, max, mustBe), z.literal(word)], mustBe));
}

export function oneOf(choices: readonly number[]) {
  return z.preprocess(numeral, z.literal(choices, `one of ${choices.join(', ')}`));
}

export function flag() {
  return z.preprocess((value) => ({ true: true, false: false })[String(value)] ?? value, z.boolean('true or false'));
}

/** A list, or its items as comma-separated text. */
export function list(form: RegExp, mustBe: string) {
  const items = (value: unknown) => (typeof value === 'string' ? parts(value) : value);
  return z.preprocess(items, z.array(text(form, mustBe), mustBe));
}

/** A map of strings, or comma-separated NAME=VALUE pairs. */
export function pairs() {
  const mustBe = 'NAME=VALUE, with commas between more of them';
  const entries = (value: unknown) =>
    typeof value === 'string' ? Object.fromEntries(parts(value).map((pair) => pair.split(/=(.*)/s, 2))) : value;
  return z.preprocess(entries, z.record(z.string().min(1, mustBe), z.string(mustBe), mustBe));
}

function bounded(min: number, max: number, mustBe: string) {
  const isRight = (value: number) =>
    Token.isUnresolved(value) || (Number.isInteger(value) && value >= min && value <= max);
  return z.number(mustBe).refine(isRight, mustBe);
}

function numeral(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

function parts(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
