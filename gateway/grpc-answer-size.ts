/**
 * Answers that clients in every language can receive. A run has an input and an output, each of which may nearly fill what a gRPC client takes by default:
 * what does not fit is left out, and says so by its size. Pure.
 */
import { Run, RunPart } from "../proto/gen/maestro/v1/run_service.ts";
import { LIMITS } from "../runtime/limits.ts";

/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3;

/** The run with its payloads, or the one that was asked for; without its input, and if need be its output, where it would be too large. */
export function fittingRun(run: Run, part: RunPart): Run {
  const { input, output } = run;
  const sized = { ...run, inputBytes: Buffer.byteLength(input), outputBytes: Buffer.byteLength(output) };
  if (part === RunPart.INPUT) return { ...sized, output: "" };
  if (part === RunPart.OUTPUT) return { ...sized, input: "" };
  if ((input.length + output.length) * BYTES_PER_UNIT_MAX < LIMITS.answerBytes / 4 || fits(sized)) return sized;
  const withoutInput = { ...sized, input: "" };
  return fits(withoutInput) ? withoutInput : { ...withoutInput, output: "" };
}

function fits(run: Run): boolean {
  return Run.encode(run).finish().length + ENVELOPE_BYTES <= LIMITS.answerBytes;
}

/** What the answer has around the run. */
const ENVELOPE_BYTES = 16;
