/**
 * Exit codes of the command line. Scripts rely on them: they must not change their meaning. `maestro --help` lists them.
 */

/** What a command's exit code says. */
export const EXIT = Object.freeze({
  /** Done. With `--wait`: the run completed. */
  ok: 0,
  /** The run that was waited for did not complete. */
  runNotCompleted: 1,
  /** The command, an option, an argument or a setting is wrong. Nothing was changed. */
  usage: 2,
  /** No node answers at the address. */
  unreachable: 3,
  /** The node refused: no such run, a faulty document, overload ... The message says which. */
  refused: 4,
  /** The node could not start, or had to stop by itself. */
  node: 5,
  /** Ended by Ctrl-C. What was started goes on. */
  interrupted: 130,
});

/** An exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
