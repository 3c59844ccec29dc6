import { fuzzBriefly, fuzzUntilNoticed } from "../fuzz/briefly.ts";
import { gatewayTarget } from "../fuzz/gateway/gateway-target.ts";

describe("hostile calls", function () {
  this.timeout(60_000);

  it("end as the contract says, and leave the server as it was", async () => fuzzBriefly(await gatewayTarget()));

  it("are noticed if the server throws something of its own", async () => {
    const broken = await gatewayTarget((runs) => ({ ...runs, list: () => Promise.reject(new TypeError("planted")) }));
    await fuzzUntilNoticed(broken, /the server is not at fault|no error that no code says/);
  });

  it("are noticed if a call never ends", async () => {
    const deaf = await gatewayTarget((runs) => ({ ...runs, history: () => new Promise(() => undefined) }));
    await fuzzUntilNoticed(deaf, /nothing came of it/);
  });

  it("are noticed if a wait outlives its call", async () => {
    const leaking = await gatewayTarget((runs) => ({ ...runs, watch: (runId, fromSeq) => runs.watch(runId, fromSeq, new AbortController().signal) }));
    await fuzzUntilNoticed(leaking, /no call to be open/);
  });
});
