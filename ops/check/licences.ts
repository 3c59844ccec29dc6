/**
 * What the lock file says about the packages that would be installed: each has a licence that goes with Apache-2.0, and a checksum.
 * Needs no network.
 */
import type { Outcome } from "./step.ts";

/** SPDX identifiers of licences that allow use and redistribution without conditions on our own code. */
const ACCEPTED = new Set([
  "MIT",
  "MIT-0",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "Unlicense",
  "Python-2.0",
  "PSF-2.0",
  "PostgreSQL",
  "Zlib",
]);

interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
}

/** Judges the text of a `package-lock.json`. */
export function checkLicences(lockFile: string): Outcome {
  const { packages = {} } = JSON.parse(lockFile) as { packages?: Record<string, LockedPackage> };
  const installed = Object.entries(packages).filter(([path, entry]) => path !== "" && entry.link !== true);
  const faults = installed.flatMap(([path, entry]) => faultsOf(path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length), entry));
  const detail = `${installed.length} packages`;
  return faults.length === 0 ? { verdict: "ok", detail } : { verdict: "failed", detail, output: faults.join("\n") };
}

function faultsOf(name: string, entry: LockedPackage): string[] {
  const licence = entry.license ?? "none";
  const isAccepted = splitExpression(licence).some((alternative) => alternative.every((id) => ACCEPTED.has(id)));
  return [
    ...(isAccepted ? [] : [`${name}@${entry.version}: the licence ${licence} is not among the accepted ones`]),
    ...(entry.integrity === undefined && entry.inBundle !== true ? [`${name}@${entry.version}: the lock file has no checksum`] : []),
  ];
}

/** An SPDX expression as alternatives (OR) of licences that apply together (AND). */
function splitExpression(expression: string): string[][] {
  return expression
    .replace(/[()]/g, "")
    .split(" OR ")
    .map((alternative) => alternative.split(" AND ").map((id) => id.trim()));
}
