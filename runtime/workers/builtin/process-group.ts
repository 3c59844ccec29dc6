/**
 * Groups of operating system processes: a command and all that it has started.
 */

/** Signals every process of a group, known by the id of its leader. False if nothing of it is left. */
export function killProcessGroup(processGroup: number, signal: "SIGTERM" | "SIGKILL"): boolean {
  try {
    return process.kill(-processGroup, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // EPERM: the id is in use by somebody else's processes by now, or only ended ones are left (macOS).
    if (code === "ESRCH" || code === "EPERM") return false;
    throw error;
  }
}
