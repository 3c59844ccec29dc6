/** Time that this process has computed: a bound on work, unlike one on time, holds on a machine that has other things to do. */

/** Milliseconds of all threads together, from an arbitrary origin. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
