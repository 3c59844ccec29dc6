import { failed } from "../../runtime/workers/protocol.ts";
import { fuzzBriefly, fuzzUntilNoticed } from "../fuzz/briefly.ts";
import { workerTarget } from "../fuzz/workers/worker-target.ts";

describe("hostile handlers", function () {
  this.timeout(60_000);

  it("harm their own attempts only, with outcomes that can be stored", async () => fuzzBriefly(await workerTarget()));

  it("are noticed if a status is none", async () => {
    const lenient = await workerTarget((outcome) => (outcome.kind === "failed" ? failed("thrown", "no", { status: Number.NaN }) : outcome));
    await fuzzUntilNoticed(lenient, /NaN is no status/);
  });

  it("are noticed if a neighbour suffers", async () => {
    const lossy = await workerTarget((outcome) => (outcome.kind === "completed" ? failed("crashed", "planted") : outcome));
    await fuzzUntilNoticed(lossy, /the neighbour does not notice/);
  });

  it("are noticed if a text can't be stored", async () => {
    const raw = await workerTarget((outcome) => (outcome.kind === "failed" ? failed("thrown", "half \ud83d") : outcome));
    await fuzzUntilNoticed(raw, /can be stored/);
  });
});
