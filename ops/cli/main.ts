/**
 * The entry of the `maestro` command: hands the real world to the command line and ends the process with its exit code. The only place of
 * the product that ends a process.
 */
import { systemClock } from "../../runtime/clock.ts";
import { systemRandom } from "../../runtime/random.ts";
import { boundRegularExpressions } from "../linear-regexp.ts";
import { runCommandLine } from "./commander-program.ts";
import { EXIT } from "./exit-code.ts";
import { connectGateway } from "./gateway-connection.ts";
import { Interruption } from "./interruption.ts";
import { Output } from "./output.ts";
import { openTerminal } from "./terminal.ts";

boundRegularExpressions();

const clock = systemClock();
const interruption = new Interruption(clock);
// Who closes a terminal asks the same. Without one SIGHUP keeps its meaning: under nohup it is ignored.
const hangup = process.stdout.isTTY ? (["SIGHUP"] as const) : [];
for (const signal of ["SIGINT", "SIGTERM", ...hangup] as const) {
  process.on(signal, () => {
    if (interruption.note() === "end at once") process.exit(EXIT.interrupted);
  });
}

process.on("uncaughtException", (error) => {
  // A defect, or a promise that nobody handles. What was acknowledged is in the journal; going on in an unknown state is worse than ending.
  process.stderr.write(`${error.stack ?? String(error)}\n`);
  process.exit(EXIT.node);
});
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read our output, as `head` does, has seen enough.
    if (error.code === "EPIPE" && stream === process.stdout) process.exit(EXIT.ok);
    // The terminal is gone: nobody reads what a command says that stops for it.
    if (error.code !== "EIO") throw error;
  });
}

// The clock's timers don't keep a process alive; as long as a command is under way, this does.
const { port1: alive } = new MessageChannel();
alive.ref();

const code = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  output: new Output(openTerminal(process.stdout, process.env), openTerminal(process.stderr, process.env)),
  clock,
  random: systemRandom(),
  interrupted: interruption.interrupted,
  hurried: () => interruption.hurried(),
  connect: connectGateway,
  exitCode: EXIT.ok,
});
process.stdout.write("", () => process.exit(code));
