/**
 * The entry of the `maestro` command: hands the real world to the command line and ends the process with its exit code. The only place of
 * the product that ends a process.
 */
import { isatty } from "node:tty";
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
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
// Who closes a terminal asks the same. Without one, as under nohup, nobody means us by it: Node.js undoes nohup's way to say so.
const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));
process.on("SIGHUP", () => hasTerminal && interrupt());

process.on("uncaughtException", (error) => {
  // A defect, or a promise that nobody handles. What was acknowledged is in the journal; going on in an unknown state is worse than ending.
  process.stderr.write(`${error.stack ?? String(error)}\n`);
  process.exit(EXIT.node);
});
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // EPIPE: whoever read it has ended. EIO: the terminal is gone.
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    const next = interruption.noteOutputLost();
    // Whoever read our answers, as `head` does, has seen enough. A closed terminal says by its signal what is to be done.
    if (next === "end at once" && error.code === "EPIPE" && stream === process.stdout) process.exit(EXIT.ok);
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

function interrupt(): void {
  if (interruption.note() === "end at once") process.exit(EXIT.interrupted);
}
