/**
 * A program, `node strip-types.ts SOURCE FOLDER`: makes JavaScript of every TypeScript file below SOURCE and prints how many there were.
 * It stands in for a bundler, so that the example needs nothing but Node.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";

const [source = ".", folder = "build"] = process.argv.slice(2);
const files = globSync("{src,test}/**/*.ts", { cwd: source });
for (const file of files) {
  const script = stripTypeScriptTypes(readFileSync(join(source, file), "utf8")).replace(/(from\s+"\.[^"]*)\.ts"/g, '$1.js"');
  const target = join(folder, file.replace(/\.ts$/, ".js"));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, script);
}
console.log(files.length);
