/**
 * The programs of simulated worlds, compiled. All worlds take theirs from the same few hundred, so that each is compiled once.
 */
import type { Workflow } from "../../actors/language/model.ts";
import { compileText } from "../support/compile-document.ts";
import { randomFor } from "./faults.ts";
import { documentOf, type Program, randomProgram } from "./program.ts";
import { HANDLERS } from "./simulated-pool.ts";

/** How many programs there are; the last ones end a node. */
const PROGRAMS = 400;
const POISONOUS = 40;

/** A program that a run may execute. */
export interface Deployed {
  readonly id: string;
  readonly program: Program;
  readonly workflow: Workflow;
}

const deployed = new Map<string, Promise<Deployed>>();

/** The id of a program, by a number drawn. */
export function programId(drawn: number, isPoisonous: boolean): string {
  return `program-${isPoisonous ? PROGRAMS - 1 - (drawn % POISONOUS) : drawn % (PROGRAMS - POISONOUS)}`;
}

/** The program of that id. */
export function deployedOf(id: string): Promise<Deployed> {
  const known = deployed.get(id) ?? deploy(id);
  deployed.set(id, known);
  return known;
}

async function deploy(id: string): Promise<Deployed> {
  const program = randomProgram(randomFor(0, id), Number(id.slice("program-".length)) >= PROGRAMS - POISONOUS);
  const workflow = await compileText(documentOf(program, id), { handlers: new Set(HANDLERS.keys()) });
  return { id, program, workflow };
}
