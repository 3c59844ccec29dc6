/**
 * A process that starts commands which ignore SIGTERM, a few at a time, gives each up the moment it runs, and says so when all are; then it waits for its end.
 * Arguments: a folder in which each command leaves its process id, and how many there are.
 */
import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { systemClock } from "../../runtime/clock.ts";
import { executeCommand } from "../../runtime/workers/builtin/command.ts";

const AT_A_TIME = 8;

const [folder = "", count = "0"] = process.argv.slice(2);
const clock = systemClock();

async function startAndGiveUp(number: number): Promise<void> {
  const giveUp = new AbortController();
  const file = `${folder}/${number}`;
  const script = `trap "" TERM; echo $$ > ${file}; while :; do sleep 1; done`;
  const command = { script, arguments: [], environment: { PATH: process.env.PATH ?? "" }, stdin: "", cwd: undefined };
  executeCommand(command, giveUp.signal, clock).catch((error: unknown) => {
    if (!giveUp.signal.aborted) throw error;
  });
  while (!existsSync(file)) await nextTurn();
  giveUp.abort();
}

for (let first = 0; first < Number(count); first += AT_A_TIME) {
  await Promise.all(Array.from({ length: AT_A_TIME }, (_none, number) => startAndGiveUp(first + number)));
}
process.send?.("given up");
