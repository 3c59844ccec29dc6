/**
 * Other engines beside ours, on W1 and W2, in the same minutes on the same machine.
 */
import { mkdirSync } from "node:fs";
import { isAbsolute } from "node:path";
import { type Benchmark, type BenchSetting, type Figure, figureOf, measureInTurn } from "./benchmark.ts";
import { fanOut, latency, throughput } from "./core.ts";
import { install } from "./installation.ts";
import { obstacleOf, PEER_ENGINES, type PeerEngine, type PeerSummary, runInFolder, summariesOf } from "./peer-engines.ts";

/** `npm run bench -- peers --folder=FOLDER`. */
export const peers: Benchmark = {
  name: "peers",
  about: "Other engines on W1 and W2 beside ours; needs a folder with their scripts.",
  async measure(setting) {
    const folder = setting.peersFolder;
    if (folder === undefined || !isAbsolute(folder)) throw new Error("say where the scripts of the other engines are: --folder=/ABSOLUTE/PATH");
    const runnable = PEER_ENGINES.filter((engine) => {
      const obstacle = obstacleOf(engine, folder);
      if (obstacle !== undefined) setting.remark(`${engine.name} was not run: ${obstacle}.`);
      return obstacle === undefined;
    });
    const figures = await measureOurs(setting);
    for (const name of ["out", "log"]) mkdirSync(`${folder}/${name}`, { recursive: true });
    return [...figures, ...(await measureTheirs(setting, folder, runnable))];
  },
};

async function measureOurs(setting: BenchSetting): Promise<readonly Figure[]> {
  setting.progress("starting PostgreSQL, a node and a client");
  await using installation = await install(setting);
  const things = [
    throughput(installation, "stream", 100, setting.roundMs),
    throughput(installation, "stream", 300, setting.roundMs),
    throughput(installation, "unary", 100, setting.roundMs),
    latency(installation, "stream", setting.roundMs),
    fanOut(installation, "stream", 4),
  ];
  setting.progress("warming up");
  for (const { round } of things) await round();
  const figures = await measureInTurn(setting, things);
  return figures.map(({ name, unit, about, min, median, max, details }) => {
    const [p50, p99] = [details["p50 ms"] ?? { min, median, max }, details["p99 ms"]];
    return { name: `ours ${name}`, unit, about, min, median, max, details: { "p50 ms": p50, ...(p99 !== undefined && { "p99 ms": p99 }) } };
  });
}

async function measureTheirs(setting: BenchSetting, folder: string, engines: readonly PeerEngine[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  await using postgres = new AsyncDisposableStack();
  if (engines.some((engine) => engine.postgres)) await startPostgres(setting, folder, postgres);
  for (const engine of engines) {
    setting.signal.throwIfAborted();
    setting.progress(`${engine.name}, in ${folder}`);
    const env = { ...engine.env, RUNS: String(setting.rounds), SCALE: String(setting.scale / 2) };
    const { lines, failure } = await runInFolder(folder, [process.execPath, ...engine.script], env, setting.signal);
    const summaries = summariesOf(lines);
    figures.push(...summaries.map(figureOfSummary));
    if (failure !== undefined) setting.remark(`${engine.name} failed after ${summaries.length} figures: ${failure}.`);
  }
  return figures;
}

/** The folder's own server, which is stopped in the end. */
async function startPostgres({ signal }: BenchSetting, folder: string, owned: AsyncDisposableStack): Promise<void> {
  const script = `${folder}/pg.sh`;
  const command = `{ [ -f pgdata/PG_VERSION ] || ${script} init; } && ${script} start > log/pg-start.log 2>&1`;
  const { failure } = await runInFolder(folder, ["/bin/bash", "-c", command], {}, signal);
  if (failure !== undefined) throw new Error(failure);
  owned.defer(async () => void (await runInFolder(folder, ["/bin/bash", script, "stop"], {}, new AbortController().signal)));
}

/** W1b is a latency: its rate says nothing more. */
function figureOfSummary({ engine, fig, settings, unit, min, median, max, p50, p99 }: PeerSummary): Figure {
  const workload = fig.replace(":summary", "");
  const label = { name: `${engine} ${workload}, ${settings}`, about: `${engine}, as its script says` };
  const details = { "p50 ms": p50, "p99 ms": p99 };
  if (workload === "W1b") return figureOf({ ...label, unit: "ms" }, [{ value: p50, details }]);
  const { details: spreads } = figureOf({ ...label, unit }, [{ value: median, details }]);
  return { ...label, unit: unit.replace("wf", "runs"), min, median, max, details: spreads };
}
