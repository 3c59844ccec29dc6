/**
 * Workflow documents. Whatever the text: it compiles, or it is refused with all that is wrong; within a time bound, without a trace in any prototype.
 * What compiles does so again, with the same tasks, and its pure core takes some turns without a broken invariant.
 */
import assert from "node:assert/strict";
import type { Json } from "../../../actors/json.ts";
import type { CompileContext } from "../../../actors/language/compile-workflow.ts";
import type { Workflow } from "../../../actors/language/model.ts";
import { parseYamlDocument } from "../../../actors/language/yaml-document.ts";
import { MaestroError } from "../../../runtime/errors.ts";
import { LIMITS } from "../../../runtime/limits.ts";
import { compileText, outline } from "../../support/compile-document.ts";
import type { Chance } from "../chance.ts";
import { cpuMs } from "../cpu-time.ts";
import { shownText, smallerTexts } from "../reduce.ts";
import { eachCase, type FuzzTarget, Tally } from "../target.ts";
import { bomb } from "./bombs.ts";
import { documentCorpus } from "./corpus.ts";
import { PrototypeGuard } from "./prototype-guard.ts";
import { takeSteps } from "./steps.ts";
import { mutatedText } from "./text-mutations.ts";
import { mutatedTree } from "./tree-mutations.ts";

/** Most computing for the compilation of a document of any size, in milliseconds. */
const COMPILE_MS = 2_000;
const REFUSALS: ReadonlySet<string> = new Set(["DOCUMENT_INVALID", "MESSAGE_TOO_LARGE"]);
/** One bomb in so many cases, and one large bomb in so many bombs. */
const BOMB_IN = 60;
const LARGE_BOMB_IN = 25;

/** What is under test. */
export type Compile = (text: string, context?: Partial<CompileContext>) => Promise<Workflow>;

/** The target. `corpus`: a folder with more documents. */
export function documentTarget(corpus?: string, compile: Compile = compileText): FuzzTarget<string> {
  const documents = documentCorpus(corpus);
  const trees = documents.map((text) => parsedOrNull(text)).filter((tree) => tree !== null);
  const tally = new Tally();
  const guard = new PrototypeGuard();
  return {
    name: "documents",
    width: 1,
    batchMs: 20_000,
    generate: (chance) => anyText(chance, documents, trees),
    check: eachCase(async (text) => tally.add(await outcomeOf(text, compile, guard)), 20_000),
    smaller: smallerTexts,
    show: shownText,
    settle: async () => guard.check(),
    outcomes: () => String(tally),
    close: async () => undefined,
  };
}

function parsedOrNull(text: string): Json {
  try {
    return parseYamlDocument(text).value;
  } catch (error) {
    if (error instanceof MaestroError) return null;
    throw error;
  }
}

function anyText(chance: Chance, documents: readonly string[], trees: readonly Json[]): string {
  if (chance.oneIn(BOMB_IN)) return bomb(chance, chance.oneIn(LARGE_BOMB_IN) ? 10 * LIMITS.documentBytes : 40_000);
  if (chance.oneIn(2)) return JSON.stringify(mutatedTree(chance, chance.pick(trees)));
  return mutatedText(chance, chance.pick(documents), chance.pick(documents));
}

async function outcomeOf(text: string, compile: Compile, guard: PrototypeGuard): Promise<string> {
  const startMs = cpuMs();
  const result = await compile(text).catch((error: unknown) => error);
  const tookMs = cpuMs() - startMs;
  assert.ok(tookMs < COMPILE_MS, `compiling took ${Math.round(tookMs)} ms of computing`);
  guard.check();
  if (result instanceof Error) return checkRefusal(result);
  const workflow = result as Workflow;
  assert.deepEqual(outline(await compile(text)), outline(workflow), "a document compiles to the same tasks again");
  return takeSteps(workflow);
}

function checkRefusal(error: Error): string {
  if (!(error instanceof MaestroError)) throw error;
  assert.ok(REFUSALS.has(error.code), `${error.code} is no refusal of a document`);
  assert.ok(error.violations.length > 0 && error.violations.length <= LIMITS.documentViolations, "the violations are named, and bounded");
  for (const { field, description } of error.violations) {
    assert.ok(
      description !== "" && description.length < 20_000 && field.length < 40_000,
      `a violation of ${field.length} and ${description.length} characters`,
    );
  }
  return "refused";
}
