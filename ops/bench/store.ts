/**
 * Workload W6: whether a large store slows the product down. Two installations stand side by side and are measured in turn: one whose tables were
 * just made, without statistics, and one with very many finished runs. Both are used through sessions as old as the installation.
 */
import { connect } from "../../gateway/grpc-client.ts";
import { type Benchmark, type BenchSetting, type Figure, figureOf, latencyRound, type Measured, measureInTurn, type Round } from "./benchmark.ts";
import { throughput } from "./core.ts";
import { fillStore } from "./finished-runs.ts";
import { type Installation, install } from "./installation.ts";
import { NAMESPACE, WORKLOADS } from "./workload.ts";

const RUNS = 100_000;
const LONG_RUNS = 1_000_000;
const IN_FLIGHT = 300;
const LISTS = 30;

/** `npm run bench -- store`. */
export const store: Benchmark = {
  name: "store",
  about: "W1 and lists on a store with very many finished runs against new tables (W6).",
  async measure(setting) {
    const runs = (setting.long ? LONG_RUNS : RUNS) * setting.scale;
    setting.progress("starting two PostgreSQL servers, nodes and clients");
    await using empty = await install(setting);
    await using full = await install(setting);
    setting.progress(`making ${runs} finished runs`);
    const filling = await fillStore(full, runs, setting);
    setting.remark(`${runs} finished runs were made by SQL: copies of a run that the product had made, with checksums of their own.`);
    for (const one of [empty, full]) await warmUp(setting, one);
    const figures = await measureInTurn(setting, [
      ...renamed("new tables", w1(setting, empty)),
      ...renamed(`${runs} runs`, w1(setting, full)),
      list(setting, empty, "new tables"),
      list(setting, full, `${runs} runs`),
    ]);
    return [filling, ...figures, ...ratiosOf(figures)];
  },
};

function w1(setting: BenchSetting, installation: Installation): readonly Measured[] {
  return (["stream", "in process"] as const).map((driver) => throughput(installation, driver, IN_FLIGHT, setting.roundMs));
}

function renamed(where: string, things: readonly Measured[]): readonly Measured[] {
  return things.map(({ label, round }) => ({ label: { ...label, name: `${label.name}, ${where}`, about: `${label.about}, on ${where}` }, round }));
}

async function warmUp({ roundMs }: BenchSetting, installation: Installation): Promise<void> {
  for (const driver of ["stream", "in process"] as const) {
    await installation.load({ workload: "w1", driver, inFlight: IN_FLIGHT, durationMs: roundMs });
  }
}

/** The first page of the failed runs of a workflow, of which there are none: the list that an index serves worst. */
function list({ clock }: BenchSetting, installation: Installation, where: string): Measured {
  const round = async (): Promise<Round> => {
    using client = connect(installation.address);
    const latenciesUs: number[] = [];
    for (let at = 0; at < LISTS; at++) {
      const startMs = clock.monotonic();
      await client.listRuns({ namespace: NAMESPACE, workflow: WORKLOADS.w1.start.workflow });
      latenciesUs.push((clock.monotonic() - startMs) * 1000);
    }
    return latencyRound(latenciesUs);
  };
  return { label: { name: `list, ${where}`, unit: "us", about: `the newest page of runs of one workflow, on ${where}` }, round };
}

/** The second installation against the first, by medians. */
function ratiosOf(figures: readonly Figure[]): readonly Figure[] {
  const rates = figures.filter((figure) => figure.unit === "runs/s");
  const half = rates.length / 2;
  return rates.slice(0, half).map((before, index) => {
    const ratio = (rates[half + index]?.median ?? Number.NaN) / before.median;
    const name = `${before.name.replace(/, [^,]*$/, "")}, full / new`;
    return figureOf({ name, unit: "x", about: "rate on the large store against that on new tables" }, [{ value: ratio }]);
  });
}
