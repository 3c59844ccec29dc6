import { readFileSync } from "node:fs";
import { compileText, HEAD } from "../../support/compile-document.ts";

const README = readFileSync(new URL("../../../actors/language/README.md", import.meta.url), "utf8");

describe("the examples of the language's README", () => {
  for (const [, example = ""] of README.matchAll(/```yaml\n([\s\S]*?)```/g)) {
    const text = example.startsWith("document:") ? example : HEAD + example;
    it(`compile: ${example.split("\n")[1]?.trim()}`, () => compileText(text));
  }
});
