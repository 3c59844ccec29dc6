/** Valid documents to begin from: the examples of the product, those of the language's README, random ones, and those of a folder that is named. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { HEAD } from "../../support/compile-document.ts";
import { randomDocument } from "../../support/random-workflow.ts";

const EXAMPLES = new URL("../../../ops/examples/", import.meta.url);
const README = new URL("../../../actors/language/README.md", import.meta.url);
const RANDOM_DOCUMENTS = 40;

/** The documents. `folder`: more of them, as `.yaml` files. */
export function documentCorpus(folder: string | undefined): readonly string[] {
  const random = fc.sample(randomDocument(), { numRuns: RANDOM_DOCUMENTS, seed: 1 });
  return [...yamlFiles(EXAMPLES), ...readmeExamples(), ...random, ...(folder === undefined ? [] : yamlFiles(folder))];
}

function yamlFiles(folder: URL | string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => readFileSync(typeof folder === "string" ? join(folder, name) : new URL(name, folder), "utf8"));
}

function readmeExamples(): readonly string[] {
  const blocks = [...readFileSync(README, "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.map((block) => (block.startsWith("document:") ? block : HEAD + block));
}
