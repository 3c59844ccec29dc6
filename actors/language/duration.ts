/**
 * Durations: an ISO 8601 text (`P1DT2H`, `PT0.5S`, `P2W`) or an object (`{ seconds: 30 }`). Years and months are refused: they have no
 * fixed length. Pure.
 */
import { isJsonObject, type Json } from "../json.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** Longest duration, in milliseconds: 100 years of 365 days. */
const LONGEST_DURATION_MS = 100 * 365 * DAY_MS;

const UNITS_MS: Readonly<Record<string, number>> = { days: DAY_MS, hours: HOUR_MS, minutes: MINUTE_MS, seconds: SECOND_MS, milliseconds: 1 };

const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
const ISO = new RegExp(`^P(?:${NUMBER}W)?(?:${NUMBER}D)?(?:T(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}S)?)?$`);
const ISO_UNITS_MS = [WEEK_MS, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS];
const CALENDAR = /^P[^T]*\d[YM]/;
/** Longest text that is looked at. */
const TEXT_LENGTH = 100;

/** What is not a duration, and why. */
export class DurationFault extends Error {
  override readonly name = "DurationFault";
}

/** Milliseconds of a duration, rounded to whole ones. @throws DurationFault it is none, is negative, or is longer than 100 years. */
export function parseDuration(value: Json): number {
  const durationMs = Math.round(exactMs(value));
  if (durationMs > LONGEST_DURATION_MS) throw new DurationFault("the duration is longer than 100 years");
  return durationMs;
}

function exactMs(value: Json): number {
  if (typeof value === "string") return ofText(value);
  if (isJsonObject(value)) return ofObject(value);
  throw new DurationFault(
    `a duration is an ISO 8601 text such as PT30S, or an object such as { seconds: 30 }, not ${value === null ? "null" : JSON.stringify(value).slice(0, 40)}`,
  );
}

function ofText(text: string): number {
  const shown = JSON.stringify(text.slice(0, 40));
  if (text.length > TEXT_LENGTH) throw new DurationFault(`${shown}... is not an ISO 8601 duration: it is too long`);
  if (CALENDAR.test(text)) throw new DurationFault(`${shown} has years or months, which have no fixed length: use days or weeks, as in P365D`);
  const match = ISO.exec(text);
  const amounts = match?.slice(1) ?? [];
  if (match === null || text.endsWith("T") || amounts.every((amount) => amount === undefined)) {
    throw new DurationFault(`${shown} is not an ISO 8601 duration such as P1DT12H, PT30S or PT0.5S`);
  }
  return amounts.reduce((sum, amount, index) => sum + numberOf(amount) * (ISO_UNITS_MS[index] ?? 0), 0);
}

/** A group that did not take part in the match is undefined, whatever the type of a match says. */
function numberOf(amount: string | undefined): number {
  return amount === undefined ? 0 : Number(amount.replace(",", "."));
}

function ofObject(object: { readonly [key: string]: Json }): number {
  const entries = Object.entries(object);
  const known = Object.keys(UNITS_MS).join(", ");
  if (entries.length === 0) throw new DurationFault(`the duration is empty: give at least one of ${known}`);
  let sumMs = 0;
  for (const [unit, amount] of entries) {
    const unitMs = Object.hasOwn(UNITS_MS, unit) ? UNITS_MS[unit] : undefined;
    if (unitMs === undefined) throw new DurationFault(`a duration has no ${JSON.stringify(unit.slice(0, 40))}: it has ${known}`);
    if (typeof amount !== "number" || !(amount >= 0) || !Number.isFinite(amount)) throw new DurationFault(`${unit} must be a number, 0 or more`);
    sumMs += amount * unitMs;
  }
  return sumMs;
}
