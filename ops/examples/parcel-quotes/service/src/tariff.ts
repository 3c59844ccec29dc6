/**
 * What it costs to send a parcel. Amounts are whole cents, so that sums are exact.
 */

/** A parcel. */
export interface Parcel {
  readonly weightGrams: number;
  readonly distanceKm: number;
  readonly express: boolean;
}

/** A price and how it came about, in cents. */
export interface Quote {
  readonly base: number;
  readonly weight: number;
  readonly distance: number;
  readonly express: number;
  readonly total: number;
}

const BASE = 390;
const PER_STARTED_KILOGRAM = 85;
const PER_STARTED_100_KM = 60;
const HEAVIEST_GRAMS = 31_500;

/** Why a parcel is not taken, or undefined if it is. */
export function refusal(parcel: Parcel): string | undefined {
  if (!(parcel.weightGrams > 0)) return "weightGrams must be a number above 0";
  if (!(parcel.distanceKm >= 0)) return "distanceKm must be a number, 0 or more";
  return parcel.weightGrams > HEAVIEST_GRAMS ? `weightGrams must not exceed ${HEAVIEST_GRAMS}` : undefined;
}

/** The price of a parcel that is not refused. */
export function quote(parcel: Parcel): Quote {
  const weight = Math.ceil(parcel.weightGrams / 1000) * PER_STARTED_KILOGRAM;
  const distance = Math.ceil(parcel.distanceKm / 100) * PER_STARTED_100_KM;
  const express = parcel.express ? Math.round((BASE + weight + distance) / 2) : 0;
  return { base: BASE, weight, distance, express, total: BASE + weight + distance + express };
}
