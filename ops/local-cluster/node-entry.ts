/**
 * The first file of a node below a local cluster: the `maestro` command, which ends when the process that started it is gone. That is no loss, and a node that
 * nobody sees would go on for ever otherwise.
 */
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.channel?.unref();
await import("../cli/main.ts");
