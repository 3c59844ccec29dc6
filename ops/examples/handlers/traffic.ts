/**
 * Which version gets the traffic. The front (`front.ts`) reads it from one file, which is replaced in one step: at every moment there is
 * exactly one version in charge.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineTask, TaskError } from "maestro-conductor";
import { failIfAsked } from "../delivery/asked-to-fail.ts";
import { stopProcess } from "../delivery/service-process.ts";

interface Target {
  readonly version: string;
  readonly port: number;
  readonly release: string;
}

interface Switched {
  readonly site: string;
  readonly from: Target | null;
  readonly to: Target;
}

/** `switch-over`: what had the traffic before, and what has it now. */
export const switchOver = defineTask<Target & { readonly site: string; readonly failAt?: string }, Switched>({
  name: "switch-over",
  run({ site, version, port, release, failAt }) {
    failIfAsked(failAt, "switch");
    const to = { version, port, release };
    const current = readCurrent(site);
    // A second attempt finds its own version in charge already; the one before it was noted by the first.
    const from = current?.release === release ? readTarget(join(site, "previous.json")) : current;
    if (from !== null) writeTarget(join(site, "previous.json"), from);
    writeTarget(currentFile(site), to);
    return { site, from, to };
  },
});

/** `switch-back` undoes `switch-over`. */
export const switchBack = defineTask<{ readonly output: Switched }, { serving: string | null }>({
  name: "switch-back",
  run({ output: { site, from } }) {
    if (from === null) rmSync(currentFile(site), { force: true });
    else writeTarget(currentFile(site), from);
    return { serving: from?.version ?? null };
  },
});

/** `verify`: asks like a customer, through the front if there is one, and wants the new version to answer. */
export const verify = defineTask<{ readonly site: string; readonly version: string; readonly failAt?: string }, { url: string; total: number }>({
  name: "verify",
  async run({ site, version, failAt }, { signal }) {
    failIfAsked(failAt, "verify");
    const front = join(site, "front.json");
    const port = existsSync(front) ? (JSON.parse(readFileSync(front, "utf8")) as { port: number }).port : readCurrent(site)?.port;
    const url = `http://127.0.0.1:${port}/quote?weightGrams=1500&distanceKm=120`;
    const answer = (await (await fetch(url, { signal })).json()) as { version?: string; total?: number };
    if (answer.version !== version) throw new TaskError(`version ${answer.version ?? "?"} answered at ${url}, not ${version}`);
    return { url, total: answer.total ?? 0 };
  },
});

/** `retire`: stops the version that had the traffic before. */
export const retire = defineTask<{ readonly from: Target | null }, { retired: string | null }>({
  name: "retire",
  async run({ from }) {
    if (from === null) return { retired: null };
    await stopProcess(from.release);
    return { retired: from.version };
  },
});

function currentFile(site: string): string {
  return join(site, "current.json");
}

function readCurrent(site: string): Target | null {
  return readTarget(currentFile(site));
}

function readTarget(file: string): Target | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Target) : null;
}

function writeTarget(file: string, target: Target): void {
  writeFileSync(`${file}.new`, JSON.stringify(target));
  renameSync(`${file}.new`, file);
}
