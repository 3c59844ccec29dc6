/**
 * What the commands for long trials (chaos, fuzz) are asked: names of trials, and whole numbers. Refuses what it does not know, by name, before
 * anything is started.
 */
import { parseArgs } from "node:util";

/** What one of the commands understands. */
export interface TrialCommand {
  /** Printed for `--help`. */
  readonly usage: string;
  /** The trials that there are; without any named, all are meant. */
  readonly names: readonly string[];
  /** Options with a whole number from 0 to 2^32 - 1. */
  readonly numbers: readonly string[];
  /** Options with any text. */
  readonly texts?: readonly string[];
  readonly flags?: readonly string[];
}

/** What was asked. */
export interface TrialRequest {
  readonly names: readonly string[];
  readonly numbers: Readonly<Record<string, number | undefined>>;
  readonly texts: Readonly<Record<string, string | undefined>>;
  readonly flags: ReadonlySet<string>;
}

const LARGEST = 2 ** 32 - 1;

/** Reads the arguments of a command; undefined if help was asked for. @throws Error that names the argument and what is right */
export function readTrialRequest(command: TrialCommand, args: readonly string[]): TrialRequest | undefined {
  const texts = [...command.numbers, ...(command.texts ?? [])].map((name) => [name, { type: "string" as const }]);
  const flags = ["help", ...(command.flags ?? [])].map((name) => [name, { type: "boolean" as const }]);
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: Object.fromEntries([...texts, ...flags]) });
  const given = values as Readonly<Record<string, string | boolean | undefined>>;
  if (given.help === true) return undefined;
  const unknown = positionals.find((name) => !command.names.includes(name));
  if (unknown !== undefined) throw new Error(`there is no "${unknown}"; there are ${command.names.join(", ")}`);
  return {
    names: positionals.length > 0 ? positionals : command.names,
    numbers: Object.fromEntries(command.numbers.map((name) => [name, numberOf(name, given[name])])),
    texts: Object.fromEntries((command.texts ?? []).map((name) => [name, given[name] as string | undefined])),
    flags: new Set((command.flags ?? []).filter((name) => given[name] === true)),
  };
}

/** Runs a command's main function: help and refusals are printed, and decide the exit code (2: not understood). */
export async function runTrials(command: TrialCommand, trials: (request: TrialRequest) => Promise<void>): Promise<void> {
  let request: TrialRequest | undefined;
  try {
    request = readTrialRequest(command, process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${command.usage}`);
    process.exitCode = 2;
    return;
  }
  if (request === undefined) console.log(command.usage);
  else await trials(request);
}

function numberOf(name: string, text: string | boolean | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number <= LARGEST && text !== "") return number;
  throw new Error(`--${name} takes a whole number from 0 to ${LARGEST}, not "${String(text)}"`);
}
