/**
 * What a command is given: the world outside, so that commands can be run by tests inside their process.
 */
import { DEFAULT_GRPC_PORT } from "../../gateway/address.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import type { Gateway } from "./gateway-port.ts";
import type { Output } from "./output.ts";

/** Variables by name. */
export type CliEnvironment = Readonly<Record<string, string | undefined>>;

/** The surroundings of one invocation. */
export interface CliContext {
  readonly env: CliEnvironment;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly output: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts at the first SIGINT or SIGTERM, when the terminal is closed, or when a command that takes time to stop can't write any more. */
  readonly interrupted: AbortSignal;
  /** Aborts at the second one, for commands that take time to stop in order. Without a call of it the second one ends the process. */
  hurried(): AbortSignal;
  /** Connects to a node; costs nothing until something is asked. Aborting `signal` cancels what waits for an answer (REQUEST_CANCELLED). */
  connect(address: string, signal?: AbortSignal): Gateway;
  /** What the process will exit with. Commands change it. */
  exitCode: ExitCode;
}

/** Address of the node when `--address` names none: that of MAESTRO_ADDRESS, or this machine's. */
export function defaultAddress(env: CliEnvironment): string {
  return env.MAESTRO_ADDRESS ?? `127.0.0.1:${DEFAULT_GRPC_PORT}`;
}

/** Connects, does the work, and closes the connection. An interruption ends what waits for an answer, however long the node leaves it without one. */
export async function withGateway<T>(context: CliContext, address: string | undefined, work: (gateway: Gateway) => Promise<T>): Promise<T> {
  const gateway = context.connect(address ?? defaultAddress(context.env), context.interrupted);
  try {
    return await work(gateway);
  } finally {
    gateway.close();
  }
}

/** The exit code for a status that a run ended with. */
export function exitCodeOf(status: string | undefined): ExitCode {
  return status === "completed" ? EXIT.ok : EXIT.runNotCompleted;
}
